//! Sending what waits in the outbox: take up, send, note. A process that dies between sending and noting leaves a mail
//! that is sent a second time, under the same Message-ID; none is lost.

use domain::{OrderId, PersonId};
use futures::StreamExt;
use lettre::Address;
use time::{Duration, OffsetDateTime};

use super::account::{self, About};
use super::post::{Fault, NotSent, Post};
use super::{Kind, admin, buyer, by_hand, letter::Letter};
use crate::jobs::TRIES_MAX;
use crate::{Context, Error, Result};

/// Before each try after the first.
const PAUSES: [Duration; 7] = [
    Duration::seconds(1),
    Duration::seconds(5),
    Duration::seconds(30),
    Duration::minutes(2),
    Duration::minutes(10),
    Duration::hours(1),
    Duration::hours(6),
];
/// A mail that was taken up and not noted after so long is taken up again.
const LEASE: Duration = Duration::minutes(5);
/// Mails taken up at once. They have to go out within the lease.
const BATCH: i64 = 20;
const AT_ONCE: usize = 2;
const KEEP_BATCH: i64 = 1_000;
/// A digest gathers at most so many news.
const DIGEST_MAX: i64 = 1_000;
const ERROR_CHARS_MAX: usize = 300;

/// One mail that was taken up.
pub(super) struct Taken {
    pub id: i64,
    pub kind: Kind,
    pub subject: String,
    pub order: Option<OrderId>,
    pub person: Option<PersonId>,
    /// Where it goes, if that is not looked up.
    pub address: Option<String>,
    pub tries: i16,
}

/// What a mail says when it is made.
pub(super) enum Made {
    Letter(Vec<Address>, Letter),
    /// It is no longer true.
    Moot,
}

/// Sends everything that is due. Without a post office (`post` is none) it is kept for the operator to read.
pub async fn send_due(ctx: &Context, post: Option<&Post>) -> Result<()> {
    absorb_wake_ups(ctx).await?;
    let Some(post) = post else { return keep(ctx).await };
    loop {
        let taken = take_up(ctx).await?;
        if taken.is_empty() {
            break;
        }
        if send_all(ctx, post, taken).await? == Outlook::NoServer {
            return wake_at_next(ctx).await;
        }
    }
    for kind in Kind::DIGESTS {
        if send_digest(ctx, post, kind).await? == Outlook::NoServer {
            break;
        }
    }
    wake_at_next(ctx).await
}

/// Whether it makes sense to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    Fine,
    NoServer,
}

/// Each announcement wakes us. What was announced before this moment is sent now, so its wake-ups are done too.
async fn absorb_wake_ups(ctx: &Context) -> Result<()> {
    sqlx::query!(
        r#"select count(*) as "count!" from graphile_worker.complete_jobs(array(
            select id from graphile_worker.jobs
            where task_identifier = 'send_mails' and locked_at is null and key is null and run_at <= now()))"#
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok(())
}

async fn keep(ctx: &Context) -> Result<()> {
    loop {
        let kept = sqlx::query!(
            "with due as (select id from mails where state = 'queued' order by due_at, id limit $1 for update skip locked)
            update mails set state = 'kept' from due where mails.id = due.id",
            KEEP_BATCH,
        )
        .execute(&ctx.db)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(());
        }
    }
}

async fn take_up(ctx: &Context) -> Result<Vec<Taken>> {
    let now = ctx.now();
    let kinds: Vec<&str> = Kind::LETTERS.iter().map(|kind| kind.as_str()).collect();
    let rows = sqlx::query!(
        r#"with due as (
            select id from mails where state = 'queued' and due_at <= $1 and kind = any($2)
            order by due_at, id limit $3 for update skip locked
        )
        update mails set tries = tries + 1, due_at = $4 from due where mails.id = due.id
        returning mails.id, kind, subject, order_id as "order: OrderId", person_id as "person: PersonId", address, tries"#,
        now,
        &kinds as &[&str],
        BATCH,
        now + LEASE,
    )
    .fetch_all(&ctx.db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = row.kind.parse()?;
            Ok(Taken {
                id: row.id,
                kind,
                subject: row.subject,
                order: row.order,
                person: row.person,
                address: row.address,
                tries: row.tries,
            })
        })
        .collect()
}

async fn send_all(ctx: &Context, post: &Post, taken: Vec<Taken>) -> Result<Outlook> {
    let mut outcomes = futures::stream::iter(taken)
        .map(|mail| async move {
            let outcome = match make(ctx, &mail).await {
                Ok(Made::Moot) => Outcome::Moot,
                Ok(Made::Letter(to, letter)) => sent(post.send(mail.id, &to, &letter).await),
                Err(error) => unmade(error)?,
            };
            note(ctx, std::slice::from_ref(&mail), &outcome).await?;
            Ok::<_, Error>(outcome.outlook())
        })
        .buffer_unordered(AT_ONCE);
    let mut outlook = Outlook::Fine;
    // To the end, even when one can't be noted, so that the others are.
    let mut first_error = None;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(Outlook::Fine) => {}
            Ok(Outlook::NoServer) => outlook = Outlook::NoServer,
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(outlook), Err)
}

/// What a mail says now, and to whom.
pub(super) async fn make(ctx: &Context, mail: &Taken) -> Result<Made> {
    let order = || mail.order.ok_or_else(|| Error::broken(format!("mail {} is about no order", mail.id)));
    let addressed = match mail.kind {
        Kind::Receipt => buyer::receipt(ctx, order()?, &mail.subject).await?,
        Kind::PaymentFailed => buyer::payment_failed(ctx, order()?, &mail.subject).await?,
        Kind::Refunded => buyer::refunded(ctx, order()?, &mail.subject).await?,
        Kind::RequestApproved => buyer::answered(ctx, order()?, domain::OrderState::Approved).await?,
        Kind::RequestRejected => buyer::answered(ctx, order()?, domain::OrderState::Rejected).await?,
        Kind::CreditsGranted | Kind::CreditsTaken | Kind::DebtForgiven => {
            by_hand::letter(ctx, mail.person, &mail.subject).await?
        }
        Kind::Account(what) => match &mail.address {
            Some(address) => account::letter(ctx, what, &About { mail: mail.id, person: mail.person, address }).await?,
            // It was sent, and where to is forgotten.
            None => None,
        },
        Kind::AdminPaymentFailed | Kind::Quarantined | Kind::Break => None,
    };
    let Some((email, letter)) = addressed else { return Ok(Made::Moot) };
    let address: Address = email.parse().map_err(|_| Error::broken("an account's email is no address"))?;
    Ok(Made::Letter(vec![address], letter))
}

/// All news of a kind that wait, in one mail, unless the last one was sent a moment ago.
async fn send_digest(ctx: &Context, post: &Post, kind: Kind) -> Result<Outlook> {
    let taken = take_up_digest(ctx, kind).await?;
    let Some(first) = taken.first() else { return Ok(Outlook::Fine) };
    let subjects: Vec<String> = taken.iter().map(|mail| mail.subject.clone()).collect();
    let outcome = match admin::digest(ctx, kind, &subjects).await {
        Ok(None) => Outcome::Moot,
        Ok(Some(letter)) => match admins(ctx, post).await {
            Ok(to) if to.is_empty() => Outcome::Kept,
            Ok(to) => sent(post.send(first.id, &to, &letter).await),
            Err(error) => unmade(error)?,
        },
        Err(error) => unmade(error)?,
    };
    note(ctx, &taken, &outcome).await?;
    Ok(outcome.outlook())
}

async fn take_up_digest(ctx: &Context, kind: Kind) -> Result<Vec<Taken>> {
    let now = ctx.now();
    let mut tx = ctx.db.begin().await?;
    // One process at a time, so that there is one mail.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('mails:' || $1, 0))", kind.as_str())
        .fetch_one(&mut *tx)
        .await?;
    let rows = sqlx::query!(
        r#"with due as (
            select id from mails where state = 'queued' and due_at <= $1 and kind = $2
                and not exists (select from mails sent where sent.kind = $2 and sent.state = 'sent' and sent.sent_at > $3)
                and not exists (select from mails busy where busy.kind = $2 and busy.state = 'queued' and busy.due_at > $1)
            order by id limit $4 for update
        )
        update mails set tries = tries + 1, due_at = $5 from due where mails.id = due.id
        returning mails.id, subject, tries"#,
        now,
        kind.as_str(),
        now - kind.digest_every(),
        DIGEST_MAX,
        now + LEASE,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut taken: Vec<Taken> = rows
        .into_iter()
        .map(|row| Taken {
            id: row.id,
            kind,
            subject: row.subject,
            order: None,
            person: None,
            address: None,
            tries: row.tries,
        })
        .collect();
    taken.sort_by_key(|mail| mail.id);
    Ok(taken)
}

/// Whom the operator named, or else everybody with the role.
async fn admins(ctx: &Context, post: &Post) -> Result<Vec<Address>> {
    if !post.admins().is_empty() {
        return Ok(post.admins().to_vec());
    }
    let emails = sqlx::query_scalar!(
        "select email as \"email!\" from user_profiles where role = 'admin' and email is not null order by email"
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(emails.iter().filter_map(|email| email.parse().ok()).collect())
}

enum Outcome {
    Sent,
    /// There is nobody to send it to.
    Kept,
    Moot,
    NotSent(NotSent),
}

impl Outcome {
    fn outlook(&self) -> Outlook {
        match self {
            Self::NotSent(not) if not.fault == Fault::Server => Outlook::NoServer,
            _ => Outlook::Fine,
        }
    }
}

fn sent(sent: Result<(), NotSent>) -> Outcome {
    sent.map_or_else(Outcome::NotSent, |()| Outcome::Sent)
}

/// A database that is away is nobody's failed try: the lease runs out, and the mail is taken up again.
fn unmade(error: Error) -> Result<Outcome> {
    if matches!(error, Error::Unavailable(_)) {
        return Err(error);
    }
    tracing::error!(error = ?error, "a mail could not be written");
    let message = format!("it could not be written: {error}").chars().take(ERROR_CHARS_MAX).collect();
    Ok(Outcome::NotSent(NotSent { fault: Fault::Later, message }))
}

async fn note(ctx: &Context, mails: &[Taken], outcome: &Outcome) -> Result<()> {
    let now = ctx.now();
    let tries = mails.iter().map(|mail| mail.tries).max().unwrap_or(TRIES_MAX);
    let (state, due_at, error, sent_at) = match outcome {
        Outcome::Sent => ("sent", now, None, Some(now)),
        Outcome::Kept => ("kept", now, None, None),
        Outcome::Moot => ("moot", now, None, None),
        Outcome::NotSent(not) => match pause(not.fault, tries) {
            Some(pause) => ("queued", now + pause, Some(&not.message), None),
            None => ("parked", now, Some(&not.message), None),
        },
    };
    let ids: Vec<i64> = mails.iter().map(|mail| mail.id).collect();
    sqlx::query!(
        "update mails set state = $2, due_at = $3, error = $4, sent_at = $5,
            address = case when $2 in ('sent', 'moot') then null else address end
        where id = any($1) and state = 'queued'",
        &ids,
        state,
        due_at,
        error,
        sent_at as Option<OffsetDateTime>,
    )
    .execute(&ctx.db)
    .await?;
    match state {
        "parked" => tracing::error!(mails = ?ids, error, "a mail is parked: it could not be sent"),
        "queued" => tracing::warn!(mails = ?ids, error, tries, "a mail could not be sent yet"),
        _ => {}
    }
    Ok(())
}

/// None: give up.
fn pause(fault: Fault, tries: i16) -> Option<Duration> {
    if fault == Fault::Never {
        return None;
    }
    let place = usize::try_from(tries).unwrap_or_default().checked_sub(1)?;
    PAUSES.get(place).copied()
}

/// Comes back when the next mail is due, where that is sooner than we come anyway.
async fn wake_at_next(ctx: &Context) -> Result<()> {
    let now = ctx.now();
    let next = sqlx::query_scalar!("select min(due_at) from mails where state = 'queued' and due_at > $1", now)
        .fetch_one(&ctx.db)
        .await?;
    let Some(wait) = next.map(|next| next - now).filter(|wait| *wait < Duration::minutes(1)) else { return Ok(()) };
    sqlx::query!(
        "select (graphile_worker.add_job('send_mails', run_at => now() + make_interval(secs => $1), max_attempts => $2,
            job_key => 'send_mails:next')).id",
        wait.as_seconds_f64(),
        i32::from(TRIES_MAX),
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok(())
}
