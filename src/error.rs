//! The answers that the core gives when it does not do what was asked. They are said to a person; causes ride along
//! for the log.

use domain::{Credits, Currency, FieldErrors};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What to tell the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or not for them: nobody learns which.
    #[error("not found")]
    NotFound,
    /// They are known, but may not do this.
    #[error("forbidden")]
    Forbidden,
    /// Understood and declined, for a reason they can act on.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// What they typed needs mending, field by field.
    #[error("invalid input")]
    Invalid(FieldErrors),
    /// Something we need is away. Trying again later is right.
    #[error("unavailable")]
    Unavailable(#[source] Cause),
    /// A mistake of ours. Trying again will not help.
    #[error("broken")]
    Broken(#[source] Cause),
}

pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why something was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("This plan is no longer on sale. Choose one of the plans below.")]
    PlanNotOnSale,
    #[error("This plan is ordered by request. Use “Request credits” instead.")]
    PlanIsByAgreement,
    #[error("This plan is paid for at the checkout. Use “Buy credits” instead.")]
    PlanHasAPrice,
    #[error(
        "Your orders go by request for now. Use “Request credits”: a person answers, and nothing is charged before."
    )]
    OrderedByRequest,
    #[error(
        "You can buy at most {limit} credits within 24 hours, with orders that aren’t paid yet. Nothing was charged. Try again later, or write to us."
    )]
    DailyLimit { limit: Credits },
    #[error("This form was already used for another plan. Reload the page and choose again.")]
    FormUsedForAnotherPlan,
    #[error("This form was already used with another currency. Reload the page and choose again.")]
    FormUsedForAnotherCurrency,
    #[error("This plan is not sold in {} any more. Nothing was charged. Choose another currency below.", .currency.code())]
    PlanNotSoldIn { currency: Currency },
    #[error(
        "Somebody else changed this plan meanwhile. Nothing was saved. Compare below, and save again if yours is right."
    )]
    PlanChangedMeanwhile,
    #[error("This plan is retired. Nothing was changed.")]
    PlanIsRetired,
    #[error("This plan was ordered before, so it can’t be deleted. Retire it instead.")]
    PlanWasOrdered,
    #[error("This plan has its counterpart at Whop already.")]
    PlanIsMirrored,
    #[error("No provider is set up that keeps plans. Set up Whop first.")]
    NoPlanMirror,
    #[error("This form was already sent with other values. Reload the page and try again.")]
    FormUsedBefore,
    #[error("This payment can’t be paid back: it is not collected, or nothing is left of it.")]
    NothingToRefund,
    #[error(
        "The bank is deciding about this payment, so it can’t be paid back now. Answer the dispute at the provider."
    )]
    PaymentIsDisputed,
    #[error("Less is owed than that.")]
    NothingOwed,
    #[error("This takes a second admin, and you are the one who asked.")]
    OwnWish,
    #[error("This was decided meanwhile. Nothing was changed.")]
    DecidedMeanwhile,
    #[error("That is too much at once. Choose at most 50.")]
    TooManyAtOnce,
    #[error("This form is incomplete. Reload the page and try again.")]
    FormIncomplete,
    #[error("The checkout can’t be opened just now. Nothing was charged. Please try again in a minute.")]
    CheckoutUnavailable,
    #[error(
        "Several payments were declined today. Try again tomorrow, or ask for credits by request: a person answers."
    )]
    TooManyDeclines,
    #[error("That email and password don’t match. Check both and try again.")]
    WrongCredentials,
    #[error("This isn’t your password. Try again.")]
    WrongPassword,
    #[error("This code isn’t right, or it was used already. Wait for the next one and try again.")]
    WrongCode,
    #[error("Your account has a second factor. Confirm with your password and a code.")]
    CodeRequired,
    #[error("That took too long, or too many codes were wrong. Sign in again.")]
    SignInIsOver,
    #[error("Your role needs a second factor. You can set it up anew, but not do without.")]
    SecondFactorRequired,
    #[error("Confirm your email address first; then you can set up a second factor.")]
    ConfirmEmailFirst,
    #[error("This link was used already, or it is too old. Ask for a new one.")]
    LinkIsOver,
    #[error("Another account has this address.")]
    AddressTaken,
    #[error("You said no at Whop. Nothing was changed here.")]
    CancelledAtWhop,
    #[error("Whop did not let you through. Nothing was changed here. Please try again, or choose another way.")]
    WhopSaidNo,
    #[error("Whop doesn’t answer just now. Nothing was changed. Please try again in a minute.")]
    WhopUnavailable,
    #[error(
        "There is an account with your email here already. Sign in with its password, then link Whop on your account page."
    )]
    EmailHasAccount,
    #[error(
        "Whop named no verified email of yours. Verify it at Whop, or create an account with a password and link Whop then."
    )]
    NoVerifiedEmail,
    #[error("This Whop account is linked to another account here. Unlink it there first.")]
    WhopAccountTaken,
    #[error("Another Whop account is linked already. Unlink it first.")]
    AlreadyLinked,
    #[error("That is another Whop account than the one that is linked here. Choose yours at Whop.")]
    AnotherWhopAccount,
    #[error("Without a password you couldn’t sign in any more. Set one first, then unlink Whop.")]
    LastWayIn,
    #[error("Buying here takes a membership. Link your Whop account or enter a licence key on your account page.")]
    MembershipRequired,
    #[error("Your membership has ended. Renew it at Whop; the credits you have stay yours.")]
    MembershipEnded,
    #[error("We can’t look up your membership just now. Nothing was charged. Please try again in a minute.")]
    MembershipUnknown,
    #[error("This licence key is somebody else’s already.")]
    LicenceTaken,
    #[error("Too many sign-ins are being checked at once. Please try again in a few seconds.")]
    TooBusy,
    #[error("That was too often. Nothing was done. Please try again in {}.", wait(*.seconds))]
    TooManyTries { seconds: u32 },
    #[error("Accounts that look after Atlas can’t be deleted here. Ask another admin to make yours a buyer’s first.")]
    StaffStays,
    #[error("Your credits have changed meanwhile. Nothing was deleted. Look at the number below and decide again.")]
    CreditsHaveMoved,
    #[error("Payments are stopped just now. Nothing was charged. Please come back later.")]
    PaymentsAreStopped,
    #[error("This event is older than 13 months, so what it said is forgotten. Nothing was changed.")]
    EventIsForgotten,
    #[error("This event was dealt with meanwhile. Nothing was changed.")]
    EventIsSettled,
    #[error(
        "Only a payment that went through, and that names no order of ours, can be linked to one. Nothing was changed."
    )]
    NothingToLink,
    #[error("This payment went to another account than ours. Nothing was changed.")]
    PaymentIsNotOurs,
    #[error("This payment names another order of ours. Nothing was changed.")]
    PaymentNamesAnOrder,
    #[error("This order never had a checkout where the payment was made. Nothing was changed.")]
    OrderHadNoCheckout,
    #[error(
        "What was paid is not what this order costs, or another order has this payment already. Nothing was changed."
    )]
    PaymentDoesNotFit,
    #[error("Your own role is for another admin to change.")]
    OwnRole,
    #[error("These are your own pages. Nothing was changed.")]
    OwnPages,
    #[error("Only the pages of buyers can be viewed, not those of people who look after Atlas.")]
    StaffPages,
    #[error("This key was already used for a different request.")]
    KeyUsedForAnotherRequest,
    #[error("There aren’t enough credits for this.")]
    NotEnoughCredits,
    #[error("Credits are owed after a refund. They have to be repaid before more can be spent.")]
    CreditsAreOwed,
    #[error("There is no wallet for this person.")]
    NoWallet,
    #[error("This hold has ended already.")]
    HoldHasEnded,
    #[error("The ledger doesn’t book this: an amount, a payment or an account in it is wrong.")]
    NotBookable,
    #[error("This API key isn’t known here, or it was revoked.")]
    UnknownApiKey,
    #[error("Too many spends of this wallet are waiting. Send this one again, with the same key, in a second.")]
    WalletTooBusy,
}

impl Refusal {
    /// After how many seconds the same may be tried again, where only the moment is wrong.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyTries { seconds } => Some(seconds),
            Self::TooBusy => Some(BUSY_SECONDS),
            _ => None,
        }
    }
}

/// A queue of sign-ins is worked off in less.
const BUSY_SECONDS: u32 = 5;

/// A wait as people say it, never too short: 40 seconds, 12 minutes.
fn wait(seconds: u32) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl Error {
    pub fn broken(cause: impl Into<Cause>) -> Self {
        Self::Broken(cause.into())
    }

    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A database that can't be reached is away; one that answers with an error was asked something wrong, unless it says
/// that it is stopping, or out of room or connections.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) { Self::Unavailable(error.into()) } else { Self::Broken(error.into()) }
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // PostgreSQL, appendix A: 08 connection, 40 rollback (deadlock), 53 resources, 57 operator, 58 system, 55P03 lock,
        // 25006 read-only: a standby that is about to be promoted, or a primary that was just demoted.
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || ["55P03", "25006"].contains(&&*code)
        }),
        _ => false,
    }
}
