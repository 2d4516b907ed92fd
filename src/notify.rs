//! What people are told by mail. News are announced in the transaction that makes them true, kept in an outbox, and
//! sent afterwards; the text is made when its turn comes, from what is true then.

mod account;
mod admin;
mod buyer;
mod by_hand;
pub mod deliver;
mod letter;
pub mod outbox;
pub mod post;

use std::str::FromStr;

use domain::{CreditDeedId, EventId, OrderId, PersonId};
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

pub use self::account::AccountNews;
use crate::jobs::TRIES_MAX;
use crate::{Context, Error, Result, ids};

/// Something that somebody should hear of, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// To the buyer: paid, and the credits are there. `payment`: the provider's id.
    Receipt { order: OrderId, payment: String },
    /// To the buyer: it did not go through, and what to do next.
    PaymentFailed { order: OrderId, payment: String },
    /// To the buyer: money went back and credits with it. `refund`: the provider's id.
    Refunded { order: OrderId, refund: String },
    /// To the buyer: the request was approved, and the credits are there.
    RequestApproved { order: OrderId },
    /// To the buyer: the request was turned down, and why.
    RequestRejected { order: OrderId },
    /// To whose wallet it is: an admin put credits into it.
    CreditsGranted { deed: CreditDeedId, person: PersonId },
    /// The same: an admin took some.
    CreditsTaken { deed: CreditDeedId, person: PersonId },
    /// The same: less is owed.
    DebtForgiven { deed: CreditDeedId, person: PersonId },
    /// To an address, about somebody's own account: said as often as it happens. `id`: of this one.
    Account { what: AccountNews, person: Option<PersonId>, address: String, id: Uuid },
    /// To the admins, gathered into one mail an hour.
    AdminPaymentFailed { order: OrderId, payment: String },
    /// To the admins: an event that doesn't fit and waits for a person.
    Quarantined { event: EventId },
    /// To the admins: the books don't agree. `found`: its row in `reconciliation_breaks`.
    Break { found: i64 },
}

/// What a mail is about, as it stands in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Receipt,
    PaymentFailed,
    Refunded,
    RequestApproved,
    RequestRejected,
    CreditsGranted,
    CreditsTaken,
    DebtForgiven,
    Account(AccountNews),
    AdminPaymentFailed,
    Quarantined,
    Break,
}

impl Kind {
    /// Each a mail of its own, to one person.
    pub const LETTERS: [Self; 16] = [
        Self::Receipt,
        Self::PaymentFailed,
        Self::Refunded,
        Self::RequestApproved,
        Self::RequestRejected,
        Self::CreditsGranted,
        Self::CreditsTaken,
        Self::DebtForgiven,
        Self::Account(AccountNews::ConfirmEmail),
        Self::Account(AccountNews::ResetPassword),
        Self::Account(AccountNews::EmailChanged),
        Self::Account(AccountNews::PasswordChanged),
        Self::Account(AccountNews::SecondFactorOn),
        Self::Account(AccountNews::SecondFactorOff),
        Self::Account(AccountNews::RecoveryCodeUsed),
        Self::Account(AccountNews::CodesGuessed),
    ];
    /// Gathered, to the admins.
    pub const DIGESTS: [Self; 3] = [Self::AdminPaymentFailed, Self::Quarantined, Self::Break];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::PaymentFailed => "payment_failed",
            Self::Refunded => "refunded",
            Self::RequestApproved => "request_approved",
            Self::RequestRejected => "request_rejected",
            Self::CreditsGranted => "credits_granted",
            Self::CreditsTaken => "credits_taken",
            Self::DebtForgiven => "debt_forgiven",
            Self::Account(AccountNews::ConfirmEmail) => "confirm_email",
            Self::Account(AccountNews::ResetPassword) => "reset_password",
            Self::Account(AccountNews::EmailChanged) => "email_changed",
            Self::Account(AccountNews::PasswordChanged) => "password_changed",
            Self::Account(AccountNews::SecondFactorOn) => "second_factor_on",
            Self::Account(AccountNews::SecondFactorOff) => "second_factor_off",
            Self::Account(AccountNews::RecoveryCodeUsed) => "recovery_code_used",
            Self::Account(AccountNews::CodesGuessed) => "codes_guessed",
            Self::AdminPaymentFailed => "admin_payment_failed",
            Self::Quarantined => "quarantined",
            Self::Break => "break",
        }
    }

    /// Between two mails to the admins about this.
    pub const fn digest_every(self) -> Duration {
        match self {
            Self::AdminPaymentFailed => Duration::HOUR,
            // Money may be waiting.
            Self::Quarantined | Self::Break => Duration::minutes(10),
            Self::Receipt
            | Self::PaymentFailed
            | Self::Refunded
            | Self::RequestApproved
            | Self::RequestRejected
            | Self::CreditsGranted
            | Self::CreditsTaken
            | Self::DebtForgiven
            | Self::Account(_) => Duration::ZERO,
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let mut all = Self::LETTERS.into_iter().chain(Self::DIGESTS);
        all.find(|kind| kind.as_str() == word).ok_or_else(|| Error::broken(format!("unknown kind of mail: {word}")))
    }
}

impl News {
    pub fn account(what: AccountNews, person: Option<PersonId>, address: &str) -> Self {
        Self::Account { what, person, address: address.to_owned(), id: ids::fresh() }
    }

    pub const fn kind(&self) -> Kind {
        match self {
            Self::Receipt { .. } => Kind::Receipt,
            Self::PaymentFailed { .. } => Kind::PaymentFailed,
            Self::Refunded { .. } => Kind::Refunded,
            Self::RequestApproved { .. } => Kind::RequestApproved,
            Self::RequestRejected { .. } => Kind::RequestRejected,
            Self::CreditsGranted { .. } => Kind::CreditsGranted,
            Self::CreditsTaken { .. } => Kind::CreditsTaken,
            Self::DebtForgiven { .. } => Kind::DebtForgiven,
            Self::Account { what, .. } => Kind::Account(*what),
            Self::AdminPaymentFailed { .. } => Kind::AdminPaymentFailed,
            Self::Quarantined { .. } => Kind::Quarantined,
            Self::Break { .. } => Kind::Break,
        }
    }

    /// The id of what it is about; with the kind, what makes it the same news.
    pub fn subject(&self) -> String {
        match self {
            Self::Receipt { payment, .. }
            | Self::PaymentFailed { payment, .. }
            | Self::AdminPaymentFailed { payment, .. } => payment.clone(),
            Self::Refunded { refund, .. } => refund.clone(),
            Self::RequestApproved { order } | Self::RequestRejected { order } => order.to_string(),
            Self::CreditsGranted { deed, .. } | Self::CreditsTaken { deed, .. } | Self::DebtForgiven { deed, .. } => {
                deed.to_string()
            }
            Self::Account { id, .. } => id.to_string(),
            Self::Quarantined { event } => event.to_string(),
            Self::Break { found } => found.to_string(),
        }
    }

    const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Receipt { order, .. }
            | Self::PaymentFailed { order, .. }
            | Self::Refunded { order, .. }
            | Self::RequestApproved { order }
            | Self::RequestRejected { order }
            | Self::AdminPaymentFailed { order, .. } => Some(*order),
            Self::CreditsGranted { .. }
            | Self::CreditsTaken { .. }
            | Self::DebtForgiven { .. }
            | Self::Account { .. }
            | Self::Quarantined { .. }
            | Self::Break { .. } => None,
        }
    }

    fn addressed(&self) -> (Option<PersonId>, Option<&str>) {
        match self {
            Self::Account { person, address, .. } => (*person, Some(address.as_str())),
            Self::CreditsGranted { person, .. }
            | Self::CreditsTaken { person, .. }
            | Self::DebtForgiven { person, .. } => (Some(*person), None),
            _ => (None, None),
        }
    }
}

/// Puts the news into the outbox and wakes whoever sends them, in the caller's transaction and in one statement,
/// however many they are. What was announced before is passed over.
///
/// Where somebody was woken already and hasn't begun, nobody else is: should they finish before this is committed, the
/// mail waits for the run of the next minute.
pub async fn announce(ctx: &Context, tx: &mut PgConnection, news: &[News]) -> Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = news.iter().map(|news| news.kind().as_str()).collect();
    let subjects: Vec<String> = news.iter().map(News::subject).collect();
    let orders: Vec<Option<OrderId>> = news.iter().map(News::order).collect();
    let (people, addresses): (Vec<_>, Vec<_>) = news.iter().map(News::addressed).unzip();
    // In one order, so that two announcing the same never wait for each other in a circle.
    sqlx::query!(
        r#"with added as (
            insert into mails (kind, subject, order_id, person_id, address, state)
            select kind, subject, order_id, person_id, address, case when $5 then 'kept' else 'queued' end
            from unnest($1::text[], $2::text[], $3::uuid[], $6::uuid[], $7::text[])
                as news (kind, subject, order_id, person_id, address)
            order by kind, subject
            on conflict on constraint mails_once do nothing
            returning id
        )
        select (graphile_worker.add_job('send_mails', max_attempts => $4)).id 
        from (select from added limit 1) as any_added
        where not $5 and not exists (select from graphile_worker._private_jobs job
            where job.is_available and job.run_at <= now()
                and job.task_id = (select id from graphile_worker._private_tasks where identifier = 'send_mails'))"#,
        &kinds as &[&str],
        &subjects,
        &orders as &[Option<OrderId>],
        i32::from(TRIES_MAX),
        ctx.keeps_mail,
        &people as &[Option<PersonId>],
        &addresses as &[Option<&str>],
    )
    .fetch_optional(tx)
    .await?;
    Ok(())
}
