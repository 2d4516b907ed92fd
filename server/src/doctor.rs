//! `atlas doctor`: looks at everything that Atlas needs, says what is wrong in a sentence, and how to mend it in another. It
//! changes nothing and shows no secret.

mod books;
mod check;
mod database;
mod machine;
mod mail;
#[cfg(test)]
mod tests;
mod whop;

use anyhow::{Result, bail};
use atlas::clock::Clock;
use atlas::providers::Providers;

use self::check::{Check, Verdict};
use self::database::Reached;
use crate::commands::print::Format;
use crate::config::Config;
use crate::encryption;

/// Fails when something is bad; what is only a warning does not.
pub async fn run(config: &Config, format: Format) -> Result<()> {
    let checks = look(config).await;
    check::print(&checks, format)?;
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => bail!("one thing has to be mended"),
        count => bail!("{count} things have to be mended"),
    }
}

/// Everything, in the order in which things build upon each other.
async fn look(config: &Config) -> Vec<Check> {
    let mut checks = machine::checks(config);
    let (behind, mail) = futures::join!(behind_the_database(config), mail::check(config));
    checks.extend(behind);
    checks.push(mail);
    checks
}

async fn behind_the_database(config: &Config) -> Vec<Check> {
    match database::reach(config).await {
        Reached::No(checks) => {
            let mut all = checks;
            all.extend(whop::checks(config, None).await);
            all.push(Check::skipped("People and books", "the database is not there to be asked"));
            all
        }
        Reached::Yes { mut checks, pool, database } => {
            let ctx = context(config, pool.clone());
            let (of_whop, of_books) = futures::join!(whop::checks(config, Some(&ctx)), books::checks(config, &ctx));
            checks.extend(of_whop);
            checks.extend(of_books);
            pool.close().await;
            database.close().await;
            checks
        }
    }
}

fn context(config: &Config, db: sqlx::PgPool) -> atlas::Context {
    atlas::Context {
        db,
        clock: Clock::system(),
        providers: Providers::default(),
        public_url: config.public_url(config.listen),
        keeps_mail: false,
        staff_need_second_factor: config.require_second_factor.is_on(),
        vault: encryption::vault_of_command(config).unwrap_or_else(|_| atlas::vault::Vault::without_keys()),
        whop_oauth: None,
        membership_rule: config.membership_rule().ok().flatten(),
    }
}
