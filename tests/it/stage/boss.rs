//! Those who look after Atlas, and what confirms that somebody is who they say.

use atlas::people::SignedIn;
use atlas::people::fresh::{self, Fresh};
use atlas::people::roles::{Admin, Finance};

use super::Stage;

/// An admin, who confirmed a moment ago that it is them.
pub struct Boss(pub Admin, pub Fresh);

pub async fn admin(stage: &Stage, name: &str) -> Boss {
    let person = stage.buyer(name).await;
    let sql = "update user_profiles set role = 'admin' where id = $1";
    sqlx::query(sql).bind(person.id()).execute(&stage.owner).await.unwrap();
    let person = stage.again(person.id()).await;
    let fresh = confirms(stage, &person).await;
    Boss(Admin::prove(person).unwrap(), fresh)
}

/// Confirms that it is them, in a session that is new.
pub async fn confirms(stage: &Stage, person: &SignedIn) -> Fresh {
    let session: [u8; 32] = rand::random();
    sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values ($1, $2, '{}', 'infinity')")
        .bind(&session[..])
        .bind(person.id())
        .execute(&stage.owner)
        .await
        .unwrap();
    fresh::note(&stage.ctx.db, person, session).await.unwrap();
    fresh::check(&stage.ctx.db, person, session).await.unwrap().unwrap()
}

impl Boss {
    /// As somebody who may refund.
    pub fn finance(&self) -> Finance {
        Finance::prove(self.0.person().clone()).unwrap()
    }
}
