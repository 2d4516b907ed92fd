//! How far the set-up is: what the page shows at each step, Whop asked at this moment.

use super::Installer;
use super::whop::{Given, client, keys, webhook_url};
use crate::providers::whop::standing::{Hearing, KeyTrouble, check_key, hearing};
use crate::providers::whop::{Client, WhopError};
use crate::{Context, Result};

/// Everything that was looked at.
#[derive(Debug)]
pub struct Standing {
    /// PostgreSQL's version.
    pub database: String,
    /// None: nothing is sold at Whop.
    pub whop: Option<WhopStanding>,
    pub plans: i64,
}

#[derive(Debug)]
pub struct WhopStanding {
    /// None: it is not known yet.
    pub company_id: Option<String>,
    /// None: there is no key yet. What Whop calls the account, where the key may read that.
    pub key: Option<Result<Option<String>, KeyTrouble>>,
    pub has_secret: bool,
    /// The webhook that leads here, as far as Whop could be asked.
    pub webhook: Option<Hearing>,
    /// Where webhooks are to go.
    pub webhook_url: String,
    /// By the environment, which wins over what is typed.
    pub is_given: IsGiven,
}

/// What the environment says.
#[derive(Debug, Clone, Copy)]
pub struct IsGiven {
    pub api_key: bool,
    pub company_id: bool,
    pub webhook_secret: bool,
}

impl Standing {
    /// Whether the first admin may be made: what it takes to sell is there.
    pub fn is_ready(&self) -> bool {
        self.whop.as_ref().is_none_or(|whop| whop.key.is_some() && whop.company_id.is_some() && whop.has_secret)
    }
}

/// Looks at everything. Whop is asked with short patience.
pub async fn standing(ctx: &Context, _: &Installer, given: Option<&Given>) -> Result<Standing> {
    let row = sqlx::query!(
        r#"select current_setting('server_version') as "version!", (select count(*) from plans where on_sale) as "plans!""#
    )
    .fetch_one(&ctx.db)
    .await?;
    let whop = match given {
        Some(given) => Some(of_whop(ctx, given).await?),
        None => None,
    };
    Ok(Standing { database: row.version, whop, plans: row.plans })
}

async fn of_whop(ctx: &Context, given: &Given) -> Result<WhopStanding> {
    let known = keys(ctx, given).await?;
    let is_given = IsGiven {
        api_key: given.api_key.is_some(),
        company_id: given.company_id.is_some(),
        webhook_secret: given.webhook_secret.is_some(),
    };
    let webhook_url = webhook_url(&ctx.public_url);
    let (key, webhook) = match (&known.api_key, &known.company_id) {
        (Some(api_key), Some(company)) => {
            let client = client(given, api_key, company)?;
            let members_only = ctx.membership_rule.is_some();
            let (key, webhook) = tokio::join!(check_key(&client), heard(&client, &webhook_url, members_only));
            let webhook = webhook.unwrap_or_else(|error| {
                tracing::warn!(%error, "the webhooks at Whop can't be listed");
                None
            });
            (Some(key), webhook)
        }
        _ => (None, None),
    };
    let has_secret = known.webhook_secret.is_some();
    Ok(WhopStanding { company_id: known.company_id, key, has_secret, webhook, webhook_url, is_given })
}

async fn heard(client: &Client, url: &str, members_only: bool) -> Result<Option<Hearing>, WhopError> {
    Ok(hearing(&client.endpoints().collect().await?, url, members_only))
}
