//! What is asked of the database before anybody is served: that we may do no more than we must, that it keeps what it says it
//! keeps, and that its clock is ours (T66, T80).

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use atlas::clock::Clock;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Webhooks are taken for stale after five minutes; a good part of that must not be lost to a wrong clock.
pub const CLOCKS_APART_MAX: time::Duration = time::Duration::minutes(1);
/// Worth a word before it matters.
const CLOCKS_APART_NOTED: time::Duration = time::Duration::seconds(5);
const CLOCKS_COMPARED_EACH: Duration = Duration::from_hours(1);

/// How much is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// People reach us over https: whatever is unsafe is refused.
    Public,
    /// On one machine, to look at and to work on: it is only said.
    Private,
}

/// Credits move only through the kernel's functions, and what was noted stays noted. A role that could write either itself,
/// or give itself the right to, must not serve.
pub async fn refuse_too_many_rights(pool: &PgPool) -> Result<()> {
    let (role, is_mighty, owned, writable): (String, bool, Vec<String>, Vec<String>) = sqlx::query_as(
        "select current_user::text,
            (select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user),
            array(select relname::text from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
                    and pg_has_role(current_user, relowner, 'member')),
            array(select name from unnest(array['credit_accounts', 'credit_transactions', 'credit_lots', 'credit_entries',
                    'credit_holds', 'credit_hold_lots', 'ledger_seals']) as name
                where has_table_privilege(name, 'insert, delete, truncate')
                    or has_any_column_privilege(name, 'insert, update'))
            || array(select name from unnest(array['audit_entries']) as name
                where to_regclass(name) is not null and (has_table_privilege(to_regclass(name), 'delete, truncate')
                    or has_any_column_privilege(to_regclass(name), 'update')))",
    )
    .fetch_one(pool)
    .await
    .context("connecting to the database as atlas_app")?;
    if !writable.is_empty() {
        bail!(
            "the database role {role} may write the ledger directly, or change what was noted ({}); Atlas only runs as {}",
            writable.join(", "),
            atlas::APP_ROLE
        );
    }
    if is_mighty || !owned.is_empty() || role != atlas::APP_ROLE {
        bail!("the database role {role} may give itself any right; Atlas only runs as {}", atlas::APP_ROLE);
    }
    Ok(())
}

/// Whoever logs in as the owner can become it again, whatever role it took meanwhile: an injected statement could, too.
pub async fn mention_a_mighty_login(pool: &PgPool, standing: Standing) -> Result<()> {
    if let (Some(login), Standing::Public) = (mighty_login(pool).await?, standing) {
        tracing::warn!(
            login,
            "the application logs in to the database as its owner; DATABASE_OWNER_URL keeps the two apart"
        );
    }
    Ok(())
}

/// The login that serves, if it could become the owner.
pub async fn mighty_login(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    let (login, is_mighty): (String, bool) = sqlx::query_as(
        "select session_user::text, rolsuper or rolcreaterole or exists (select from pg_class
            where relnamespace = 'public'::regnamespace and pg_has_role(session_user, relowner, 'member'))
        from pg_roles where rolname = session_user",
    )
    .fetch_one(pool)
    .await?;
    Ok(is_mighty.then_some(login))
}

/// What is off that keeps payments in a crash, with commas between; empty: nothing.
pub async fn weak_settings(pool: &PgPool) -> Result<String, sqlx::Error> {
    let weak: Vec<String> = sqlx::query_scalar(
        "select name || ' = ' || setting from pg_settings
        where (name in ('fsync', 'full_page_writes', 'data_checksums') and setting = 'off')
            or (name = 'synchronous_commit' and setting not in ('on', 'remote_apply'))
            or (name = 'TimeZone' and setting not in ('UTC', 'Etc/UTC'))
        order by name",
    )
    .fetch_all(pool)
    .await?;
    Ok(weak.join(", "))
}

/// With these off, a crash of the machine may lose payments that were already answered for, or damage go unnoticed.
pub async fn refuse_weak_durability(pool: &PgPool, standing: Standing) -> Result<()> {
    let weak = weak_settings(pool).await?;
    match standing {
        _ if weak.is_empty() => Ok(()),
        Standing::Private => {
            tracing::warn!("the database may lose paid orders in a crash: {weak}");
            Ok(())
        }
        Standing::Public => bail!(
            "the database may lose paid orders in a crash, or not notice damage: {weak}. Turn them on in postgresql.conf; \
             checksums with pg_checksums --enable while the server is stopped"
        ),
    }
}

/// Ages and expiries are judged here and there; with clocks apart they would contradict each other.
pub async fn refuse_another_time(pool: &PgPool, clock: &Clock) -> Result<()> {
    let apart = clocks_apart(pool, clock).await?;
    if apart > CLOCKS_APART_MAX {
        bail!("this machine's clock and the database's are {} s apart; set them right first", apart.whole_seconds());
    }
    Ok(())
}

/// A clock may begin to run wrong later. Until the process ends.
pub async fn compare_clocks_each_hour(pool: PgPool, clock: Clock) {
    loop {
        tokio::time::sleep(CLOCKS_COMPARED_EACH).await;
        say_how_far_apart(clocks_apart(&pool, &clock).await);
    }
}

fn say_how_far_apart(apart: Result<time::Duration, sqlx::Error>) {
    match apart {
        Ok(apart) if apart > CLOCKS_APART_MAX => {
            tracing::error!(
                seconds = apart.whole_seconds(),
                "clock.skew: this machine's clock and the database's are apart"
            );
        }
        Ok(apart) if apart > CLOCKS_APART_NOTED => {
            tracing::warn!(
                seconds = apart.whole_seconds(),
                "clock.skew: this machine's clock and the database's are apart"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the clocks could not be compared"),
    }
}

/// How far this machine's clock is from the database's, either way.
pub async fn clocks_apart(pool: &PgPool, clock: &Clock) -> Result<time::Duration, sqlx::Error> {
    let theirs: OffsetDateTime = sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await?;
    Ok((clock.now() - theirs).abs())
}

#[cfg(test)]
mod tests;
