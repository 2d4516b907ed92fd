//! What lies in people's mailboxes: the letters about accounts, and the links in them.

use atlas::notify::outbox::{Shown, show};
use atlas::people::links::Token;

use crate::stage::Stage;

/// The newest mail of that kind, as it is written now. None: it says nothing.
pub async fn newest(stage: &Stage, kind: &str) -> Option<Shown> {
    let id: i64 = sqlx::query_scalar("select max(id) from mails where kind = $1")
        .bind(kind)
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    show(&stage.ctx, id).await.unwrap()
}

/// The text behind `?token=` in the newest mail of that kind.
pub async fn token_text(stage: &Stage, kind: &str) -> String {
    let mail = newest(stage, kind).await.unwrap();
    mail.text.split("?token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

pub async fn token(stage: &Stage, kind: &str) -> Token {
    Token::parse(&token_text(stage, kind).await).unwrap()
}
