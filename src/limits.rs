//! How often somebody may try something: token buckets in the database. Each is kept as one moment, the time until which
//! what was taken from it is spoken for (the generic cell rate algorithm, ITU-T I.371).

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;
use time::{Duration, OffsetDateTime};

use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::sweep::{PART, in_parts};
use crate::{Context, Refusal, Result};

/// So many at once, and one more each time a while has gone by.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    name: &'static str,
    burst: u16,
    each: Duration,
}

/// The audit hears at most this often that a limit refused the same person, account or address.
const NOTED_EVERY: Duration = Duration::minutes(10);

/// Sign-ins that fail, by where they come from: three, and three a minute.
pub const SIGN_IN_BY_ADDRESS: Limit = Limit::new("sign_in_by_address", 3, Duration::seconds(20));
/// Sign-ins that fail, by whose they would be: ten, and ten an hour. Devices that their owner used before are free of it.
pub const SIGN_IN_BY_ACCOUNT: Limit = Limit::new("sign_in_by_account", 10, Duration::minutes(6));
/// Passwords asked for again, by the person: ten, and ten an hour.
pub const CONFIRM_BY_PERSON: Limit = Limit::new("confirm_by_person", 10, Duration::minutes(6));
/// Exports of one's own data: five, and five an hour.
pub const EXPORTS_BY_PERSON: Limit = Limit::new("exports_by_person", 5, Duration::minutes(12));
/// Entries about doors that somebody may not pass: ten, and one a minute.
pub const REFUSALS_BY_PERSON: Limit = Limit::new("refusals_by_person", 10, Duration::minutes(1));
/// New accounts: three, and three an hour.
pub const SIGN_UP_BY_ADDRESS: Limit = Limit::new("sign_up_by_address", 3, Duration::minutes(20));
/// Codes of a second factor that are wrong, by whose it is: ten, and ten an hour. The password had to be right before.
pub const CODES_BY_PERSON: Limit = Limit::new("codes_by_person", 10, Duration::minutes(6));
/// Links for a new password, by where they are asked for: three, and three an hour.
pub const RESET_BY_ADDRESS: Limit = Limit::new("reset_by_address", 3, Duration::minutes(20));
/// Mails that anybody can have sent to an address: three, and one an hour.
pub const MAIL_BY_RECIPIENT: Limit = Limit::new("mail_by_recipient", 3, Duration::hours(1));
/// Checkouts and requests, which cost the provider and the admins: ten, and twenty an hour.
pub const ORDERS_BY_BUYER: Limit = Limit::new("orders_by_buyer", 10, Duration::minutes(3));
/// The same for all who share an address: thirty, and sixty an hour. Stolen cards are tried out by many accounts.
pub const ORDERS_BY_ADDRESS: Limit = Limit::new("orders_by_address", 30, Duration::minutes(1));

/// Ways out to an authorisation server: twenty, and ten a minute.
pub const OAUTH_BY_ADDRESS: Limit = Limit::new("oauth_by_address", 20, Duration::seconds(6));
/// Questions about one's own grant, each of which may ask the authorisation server: 120, and sixty a minute.
pub const GRANT_BY_PERSON: Limit = Limit::new("grant_by_person", 120, Duration::seconds(1));

/// Codes of the set-up page, by where they are tried: five, and one a minute.
pub const SET_UP_BY_ADDRESS: Limit = Limit::new("set_up_by_address", 5, Duration::minutes(1));
/// What a set-up asks of the provider or of the passwords: twenty, and ten a minute.
pub const SET_UP_STEPS: Limit = Limit::new("set_up_steps", 20, Duration::seconds(6));
/// Licence keys that somebody enters: five, and ten an hour.
pub const LICENCE_BY_PERSON: Limit = Limit::new("licence_by_person", 5, Duration::minutes(6));

/// What moves money or credits by hand, by who does it: sixty, and sixty a minute.
pub const ADMIN_WRITES: Limit = Limit::new("admin_writes", 60, Duration::seconds(1));

impl Limit {
    /// `burst` is at least 1, `each` more than nothing.
    pub const fn new(name: &'static str, burst: u16, each: Duration) -> Self {
        Self { name, burst, each }
    }

    /// How long it takes an empty bucket to be full.
    fn whole(&self) -> Duration {
        self.each * i32::from(self.burst)
    }

    fn bucket(&self, of: &str) -> [u8; 32] {
        Sha256::digest(format!("{}\n{of}", self.name)).into()
    }
}

/// One try for `of`.
///
/// Errors: [`Refusal::TooManyTries`] with the seconds until the next.
pub async fn take(ctx: &Context, limit: &Limit, of: &str) -> Result<()> {
    let (bucket, now) = (limit.bucket(of), ctx.now());
    let taken = sqlx::query!(
        "insert into rate_limits as kept (bucket, spoken_until) values ($1, $2::timestamptz + make_interval(secs => $3))
        on conflict (bucket) do update set spoken_until = greatest(kept.spoken_until, $2) + make_interval(secs => $3)
        where greatest(kept.spoken_until, $2) + make_interval(secs => $3) <= $2 + make_interval(secs => $4)",
        &bucket[..],
        now,
        limit.each.as_seconds_f64(),
        limit.whole().as_seconds_f64(),
    )
    .execute(&ctx.db)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(());
    }
    let kept = sqlx::query!("select spoken_until, noted_at from rate_limits where bucket = $1", &bucket[..])
        .fetch_optional(&ctx.db)
        .await?;
    let (spoken_until, noted_at) = kept.map_or((now, None), |kept| (kept.spoken_until, kept.noted_at));
    if noted_at.is_none_or(|noted_at| now - noted_at >= NOTED_EVERY) {
        note(ctx, limit, of).await?;
    }
    Err(Refusal::TooManyTries { seconds: seconds_to_wait(limit, spoken_until, now) }.into())
}

/// Tells the audit that somebody was refused: once in a while for each bucket, for whoever floods must not fill it.
async fn note(ctx: &Context, limit: &Limit, of: &str) -> Result<()> {
    let (bucket, now) = (limit.bucket(of), ctx.now());
    let mut tx = ctx.db.begin().await?;
    let due = sqlx::query!(
        "update rate_limits set noted_at = $2 where bucket = $1 and (noted_at is null or noted_at <= $3)",
        &bucket[..],
        now,
        now - NOTED_EVERY,
    )
    .execute(&mut *tx)
    .await?;
    if due.rows_affected() == 1 {
        let by = By { who: Who::System("limits"), origin: &Origin::NONE };
        let deed = by.did(What::LimitHit, About::Address(of));
        audit::record(&mut tx, &deed.with(Change::none().noted("limit", limit.name))).await?;
    }
    Ok(tx.commit().await?)
}

/// One try under each of several limits, or under none.
///
/// Errors: as [`take`], for the first that refuses.
pub async fn take_all(ctx: &Context, wanted: &[(&Limit, &str)]) -> Result<()> {
    for (place, (limit, of)) in wanted.iter().enumerate() {
        if let Err(refused) = take(ctx, limit, of).await {
            give_back_all(ctx, &wanted[..place]).await?;
            return Err(refused);
        }
    }
    Ok(())
}

/// Gives tries back that should not count.
pub async fn give_back_all(ctx: &Context, taken: &[(&Limit, &str)]) -> Result<()> {
    for (limit, of) in taken {
        give_back(&ctx.db, limit, of).await?;
    }
    Ok(())
}

/// Gives a try back that should not count.
pub async fn give_back(db: impl PgExecutor<'_>, limit: &Limit, of: &str) -> Result<()> {
    sqlx::query!(
        "update rate_limits set spoken_until = spoken_until - make_interval(secs => $2) where bucket = $1",
        &limit.bucket(of)[..],
        limit.each.as_seconds_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// At least 1, so that nobody is told to come back at once.
fn seconds_to_wait(limit: &Limit, spoken_until: OffsetDateTime, now: OffsetDateTime) -> u32 {
    let wait = spoken_until + limit.each - limit.whole() - now;
    // Rounded up: a second too early would be refused again.
    u32::try_from(wait.whole_seconds() + 1).unwrap_or(1).max(1)
}

/// Who shares a bucket by address. One household has a whole /64 of IPv6.
pub fn by_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Forgets the buckets that are full.
pub async fn sweep(ctx: &Context) -> Result<()> {
    in_parts(|| async {
        let deleted = sqlx::query!(
            "delete from rate_limits where bucket in (
                select bucket from rate_limits where spoken_until <= $1 limit $2 for update skip locked)",
            ctx.now(),
            PART,
        );
        deleted.execute(&ctx.db).await
    })
    .await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn who_shares_a_household_shares_a_bucket() {
        let of = |text: &str| by_address(text.parse().unwrap());
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7", "the same written as IPv6");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
    }

    #[test]
    fn buckets_of_different_limits_are_different() {
        assert_ne!(SIGN_IN_BY_ADDRESS.bucket("192.0.2.7"), ORDERS_BY_ADDRESS.bucket("192.0.2.7"));
        assert_ne!(SIGN_IN_BY_ADDRESS.bucket("192.0.2.7"), SIGN_IN_BY_ADDRESS.bucket("192.0.2.8"));
    }
}
