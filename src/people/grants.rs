//! What an authorisation server granted for one session: an access and a refresh token, sealed, each bound to its row. The
//! session lives as long as its grant, and the grant is given back when its session is gone.

pub mod care;
pub mod refresh;

use domain::PersonId;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::SignedIn;
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::jobs::{self, kinds::CareForGrants};
use crate::providers::whop::oauth::Tokens;
use crate::vault::{Place, Sealed, Vault};
use crate::{Context, Result, ids};

/// Why a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    SignedOut,
    /// Taken back there, or its refresh token was used by somebody else.
    Refused,
    /// The vault can't open it.
    Unreadable,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Which of the two tokens.
#[derive(Debug, Clone, Copy)]
enum Which {
    Access,
    Refresh,
}

const fn place(which: Which, grant: Uuid) -> Place<'static> {
    let column = match which {
        Which::Access => "sealed_access",
        Which::Refresh => "sealed_refresh",
    };
    Place { table: "identity_grants", column, row: grant }
}

fn seal(vault: &Vault, which: Which, grant: Uuid, token: &SecretString) -> Vec<u8> {
    vault.seal(place(which, grant), token.expose_secret().as_bytes())
}

fn open(vault: &Vault, which: Which, grant: Uuid, sealed: &[u8]) -> Result<SecretString, Sealed> {
    let plain = vault.open(place(which, grant), sealed)?;
    let text = std::str::from_utf8(plain.expose_secret()).map_err(|_| Sealed::Unreadable)?;
    Ok(SecretString::from(text))
}

/// Keeps what was granted for a session that is about to begin.
pub(super) async fn keep(ctx: &Context, identity: Uuid, tokens: &Tokens) -> Result<Uuid> {
    let (id, now) = (ids::fresh(), ctx.now());
    sqlx::query!(
        "insert into identity_grants (id, identity_id, sealed_access, sealed_refresh, access_ends_at, granted_at)
        values ($1, $2, $3, $4, $5, $6)",
        id,
        identity,
        seal(&ctx.vault, Which::Access, id, &tokens.access),
        tokens.refresh.as_ref().map(|token| seal(&ctx.vault, Which::Refresh, id, token)),
        now + tokens.lives,
        now,
    )
    .execute(&ctx.db)
    .await?;
    Ok(id)
}

/// Ends a grant and its session, and has it given back.
pub async fn end(ctx: &Context, grant: Uuid, why: Why) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    sqlx::query!(
        "update identity_grants set ended_at = $2, ended_why = $3 where id = $1 and ended_at is null",
        grant,
        ctx.now(),
        why.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let ended = sqlx::query_scalar!(
        r#"delete from sessions where grant_id = $1 returning person_id as "person_id: PersonId""#,
        grant,
    )
    .fetch_all(&mut *tx)
    .await?;
    jobs::enqueue(&mut tx, &CareForGrants {}).await?;
    // Whoever signs out says so themselves.
    if why != Why::SignedOut {
        for person in ended.into_iter().flatten() {
            let deed = By { who: Who::System("grants"), origin: &Origin::NONE };
            let change = Change::none().noted("grant", why.as_str());
            audit::record(&mut tx, &deed.did(What::SessionEnded, About::Person(person)).with(change)).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Ends all that was granted for one of the person's accounts elsewhere, and the sessions with it.
pub(super) async fn end_of_identity(
    tx: &mut PgConnection,
    now: OffsetDateTime,
    identity: Uuid,
    person: &SignedIn,
) -> Result<()> {
    let person = person.id();
    let ended = sqlx::query_scalar!(
        "update identity_grants g set ended_at = $3, ended_why = 'unlinked' from identities i
        where i.id = $1 and i.person_id = $2 and g.identity_id = i.id and g.ended_at is null returning g.id",
        identity,
        person as PersonId,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!("delete from sessions where grant_id = any($1)", &ended).execute(&mut *tx).await?;
    jobs::enqueue(tx, &CareForGrants {}).await
}

/// Ends all that was granted for any of the person's accounts elsewhere. Their sessions are ended by whoever asks for this.
pub(super) async fn end_of_person(tx: &mut PgConnection, now: OffsetDateTime, person: PersonId) -> Result<()> {
    sqlx::query!(
        "update identity_grants g set ended_at = $2, ended_why = 'unlinked' from identities i
        where i.person_id = $1 and g.identity_id = i.id and g.ended_at is null",
        person as PersonId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    jobs::enqueue(tx, &CareForGrants {}).await
}
