//! Those who look after Atlas.

use atlas::people::fresh::{self, Fresh};
use atlas::people::roles::Admin;

use super::Stage;

/// An admin, who confirmed a moment ago that it is them.
pub struct Boss(pub Admin, pub Fresh);

pub async fn admin(stage: &Stage, name: &str) -> Boss {
    let person = stage.buyer(name).await;
    let sql = "update user_profiles set role = 'admin' where id = $1";
    sqlx::query(sql).bind(person.id()).execute(&stage.owner).await.unwrap();
    let person = stage.again(person.id()).await;
    let session: [u8; 32] = rand::random();
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', 'infinity')")
        .bind(&session[..])
        .bind(person.id())
        .execute(&stage.owner)
        .await
        .unwrap();
    fresh::note(&stage.ctx.db, &person, session).await.unwrap();
    let fresh = fresh::check(&stage.ctx.db, &person, session).await.unwrap().unwrap();
    Boss(Admin::prove(person).unwrap(), fresh)
}
