//! What every verb of the core is handed: the database, the clock, the providers, our own address.

use std::fmt;

use sqlx::PgPool;

use crate::clock::Clock;
use crate::memberships::Rule;
use crate::providers::Providers;
use crate::providers::whop::oauth::Oauth;
use crate::vault::Vault;

/// Cheap to clone; one per process, or one per test.
#[derive(Clone)]
pub struct Context {
    /// A pool whose connections work under [`crate::APP_ROLE`].
    pub db: PgPool,
    pub clock: Clock,
    pub providers: Providers,
    /// Where people reach us, without a slash at the end: `https://credits.example.com`.
    pub public_url: String,
    /// There is no mail server: mails are kept for the operator to read. A command always leaves that to the server.
    pub keeps_mail: bool,
    /// Whoever may do more than buy has to have a second factor.
    pub staff_need_second_factor: bool,
    /// Seals what is stored and has to be read again. A command that has no keys has none here.
    pub vault: Vault,
    /// Where people may sign in beside here.
    pub whop_oauth: Option<Oauth>,
    /// What a buyer has to hold; none, where nothing is asked for.
    pub membership_rule: Option<Rule>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Context {
    pub fn now(&self) -> time::OffsetDateTime {
        self.clock.now()
    }
}
