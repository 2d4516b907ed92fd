//! A scene: a database, a clock that stands still, a provider that does as it is told, and people who buy. The context
//! works under [`atlas::APP_ROLE`], so that every test also shows that the least rights are enough.

pub mod boss;
mod debt;
mod ledger;

use std::fmt::Debug;
use std::sync::Arc;

use atlas::audit::{By, Origin, Who};
use atlas::clock::Clock;
use atlas::events::{self, Content, Delivery, DisputeFacts, Fact, PaymentFacts, Received, RefundFacts};
use atlas::ledger::audit::{Finding, audit};
use atlas::ledger::balance::{Balance, balance};
use atlas::ledger::grant::{Grant, grant};
use atlas::ledger::spend::{Spend, spend};
use atlas::ledger::{Key, Moved};
use atlas::orders::FormKey;
use atlas::orders::checkout::{self, Started};
use atlas::orders::page::{self, OrderPage};
use atlas::people::{self, SignedIn};
use atlas::plans::defaults;
use atlas::providers::verify::WebhookSecrets;
use atlas::providers::{PaymentProvider, Providers};
use atlas::vault::Vault;
use atlas::{Context, Error, Refusal, Result, ids};
use base64::Engine;
use domain::ledger::LotSource;
use domain::{Credits, Currency, DisputeState, Money, OrderId, PaymentState, PersonId, PlanId, Provider, RefundState};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use time::Duration;

pub use self::ledger::{captured, level, reservation};
use crate::scripted::{ACCOUNT, Scripted};

const SECRET: &str = "ws_a_secret_for_tests_alone_0123456789";
const CONNECTIONS: u32 = 10;

/// Who does what no person does.
pub const OPERATOR: By<'static> = By { who: Who::Operator("test"), origin: &Origin::NONE };

pub struct Stage {
    pub ctx: Context,
    /// The owner of the database, for looking behind the scene and for doing damage.
    pub owner: PgPool,
    pub provider: Arc<Scripted>,
    secrets: WebhookSecrets,
}

/// An order with an open checkout.
#[derive(Debug, Clone)]
pub struct Ordered {
    pub id: OrderId,
    pub checkout_id: String,
    pub url: String,
    pub price: Money,
}

/// A signed webhook, to be delivered as often as a test likes.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: String,
    pub body: Vec<u8>,
}

impl Stage {
    pub async fn new(owner: PgPool) -> Self {
        let provider = Arc::new(Scripted::new());
        let as_app = owner.connect_options().as_ref().clone().options([("role", atlas::APP_ROLE)]);
        let ctx = Context {
            db: PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(as_app),
            clock: Clock::standing_at(Clock::system().now()),
            providers: Providers::new([provider.clone() as Arc<dyn PaymentProvider>]),
            public_url: "https://atlas.example".to_owned(),
            keeps_mail: false,
            staff_need_second_factor: true,
            vault: Vault::parse(&Vault::fresh_key("test")).unwrap(),
            whop_oauth: None,
            membership_rule: None,
        };
        defaults::add_missing(&ctx).await.unwrap();
        let secrets = WebhookSecrets::new(SecretString::from(SECRET), None).unwrap();
        Self { ctx, owner, provider, secrets }
    }

    pub fn advance(&self, by: Duration) {
        self.ctx.clock.advance(by);
    }

    /// Somebody with an empty wallet. Made without a password, for hashing one takes long; `people` tests the real way.
    pub async fn buyer(&self, name: &str) -> SignedIn {
        let id = PersonId::from_uuid(ids::fresh());
        sqlx::query("insert into user_profiles (id, email, name, password_hash) values ($1, $2, $3, '')")
            .bind(id)
            .bind(format!("{name}@example.com"))
            .bind(name)
            .execute(&self.ctx.db)
            .await
            .unwrap();
        sqlx::query("select credits_open_wallet($1)").bind(id).execute(&self.ctx.db).await.unwrap();
        self.again(id).await
    }

    /// The person as the database knows them now.
    pub async fn again(&self, id: PersonId) -> SignedIn {
        people::load(&self.ctx.db, id).await.unwrap().unwrap()
    }

    pub async fn plan(&self, slug: &str) -> PlanId {
        sqlx::query_scalar("select id from plans where slug = $1").bind(slug).fetch_one(&self.ctx.db).await.unwrap()
    }

    /// Puts a plan on sale or takes it off, without a word about it.
    pub async fn sells(&self, slug: &str, on_sale: bool) {
        let sql = "update plans set on_sale = $2 where slug = $1";
        sqlx::query(sql).bind(slug).bind(on_sale).execute(&self.ctx.db).await.unwrap();
    }

    /// Sends a fresh form for the plan; the provider opens a checkout.
    pub async fn starts_checkout(&self, buyer: &SignedIn, plan: &str) -> Ordered {
        let started = checkout::start(&self.ctx, buyer, self.plan(plan).await, FormKey::fresh()).await.unwrap();
        assert!(matches!(started, Started::Checkout(_)), "no checkout: {started:?}");
        self.order_of(buyer).await
    }

    /// The person's newest order that has a checkout.
    pub async fn order_of(&self, buyer: &SignedIn) -> Ordered {
        let (id, checkout_id, url, minor, currency): (OrderId, String, String, i64, Currency) = sqlx::query_as(
            "select id, checkout_id, checkout_url, price_minor, currency from credit_orders
            where buyer_id = $1 and checkout_id is not null order by id desc limit 1",
        )
        .bind(buyer.id())
        .fetch_one(&self.ctx.db)
        .await
        .unwrap();
        Ordered { id, checkout_id, url, price: Money::new(minor, currency) }
    }

    /// A webhook with its own body, which says `content`.
    pub fn webhook(&self, id: &str, kind: &str, content: Content) -> Webhook {
        let body = format!("{id}: {kind} {}", ids::fresh()).into_bytes();
        self.provider.says(&body, kind, content);
        Webhook { id: id.to_owned(), body }
    }

    pub fn payment_webhook(&self, id: &str, facts: &PaymentFacts) -> Webhook {
        self.webhook(id, &format!("payment.{}", facts.state), Content::Fact(Fact::Payment(facts.clone())))
    }

    /// Signs as the provider does, verifies as the server does, and receives.
    pub async fn delivers(&self, webhook: &Webhook) -> Result<Received> {
        let delivery = self.signed(webhook);
        events::receive(&self.ctx, delivery).await
    }

    pub fn signed(&self, webhook: &Webhook) -> Delivery {
        let now = self.ctx.now().unix_timestamp();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{}.{now}.", webhook.id).as_bytes());
        mac.update(&webhook.body);
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", webhook.id.parse().unwrap());
        headers.insert("webhook-timestamp", now.into());
        headers.insert("webhook-signature", format!("v1,{signature}").parse().unwrap());
        let verified = self.secrets.verify(&headers, webhook.body.clone(), now).unwrap();
        let event = self.provider.read_event(&webhook.body).unwrap();
        Delivery { provider: Provider::Whop, verified, event }
    }

    pub fn refund_webhook(&self, id: &str, facts: &RefundFacts) -> Webhook {
        self.webhook(id, "refund.updated", Content::Fact(Fact::Refund(facts.clone())))
    }

    pub fn dispute_webhook(&self, id: &str, facts: &DisputeFacts) -> Webhook {
        self.webhook(id, "dispute.updated", Content::Fact(Fact::Dispute(facts.clone())))
    }

    /// Delivers that the order is paid, as it should be.
    pub async fn pays(&self, order: &Ordered, payment_id: &str) -> PaymentFacts {
        let facts = order.facts(payment_id, PaymentState::Succeeded);
        let webhook = self.payment_webhook(&format!("evt_{payment_id}"), &facts);
        assert_eq!(self.delivers(&webhook).await.unwrap(), Received::Applied);
        facts
    }

    pub async fn page(&self, buyer: &SignedIn, order: &Ordered) -> OrderPage {
        page::load(&self.ctx.db, buyer, order.id).await.unwrap()
    }

    pub async fn balance(&self, buyer: &SignedIn) -> Balance {
        balance(&self.ctx.db, buyer.id()).await.unwrap()
    }

    pub async fn posted(&self, buyer: &SignedIn) -> i64 {
        self.balance(buyer).await.posted.get()
    }

    /// Carries out one grant, committed when it succeeds.
    pub async fn grants(&self, request: &Grant) -> Result<Moved> {
        let mut tx = self.ctx.db.begin().await?;
        let moved = grant(&mut tx, request).await?;
        tx.commit().await?;
        Ok(moved)
    }

    /// Carries out one spend, committed when it succeeds.
    pub async fn spends(&self, request: &Spend) -> Result<Moved> {
        let mut tx = self.ctx.db.begin().await?;
        let moved = spend(&mut tx, request).await?;
        tx.commit().await?;
        Ok(moved)
    }

    pub async fn findings(&self) -> Vec<Finding> {
        audit(&self.ctx.db).await.unwrap().findings
    }

    pub async fn audits_clean(&self) {
        assert_eq!(self.findings().await, []);
    }

    /// Waits for work that goes on by itself, by asking until the count is reached.
    pub async fn until(&self, sql: &'static str, count: i64) {
        for _ in 0..100_000 {
            if self.count(sql).await == count {
                return;
            }
        }
        panic!("{count} was never reached by {sql}");
    }

    /// How many rows a query of ours counts.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.owner).await.unwrap()
    }
}

impl Ordered {
    /// What the provider says about a payment of this order that fits it.
    pub fn facts(&self, payment_id: &str, state: PaymentState) -> PaymentFacts {
        let collected = state == PaymentState::Succeeded;
        PaymentFacts {
            provider: Provider::Whop,
            payment_id: payment_id.to_owned(),
            account: Some(ACCOUNT.to_owned()),
            checkout_id: Some(self.checkout_id.clone()),
            order_hint: Some(self.id),
            state,
            paid: collected.then_some(self.price),
            charged: collected.then_some(self.price),
            paid_at: None,
            method: None,
            failure: None,
            refunded: None,
            disputed: false,
        }
    }
}

/// What the provider says about a refund of `cents`.
pub fn refund(refund_id: &str, payment_id: &str, cents: i64, state: RefundState) -> RefundFacts {
    RefundFacts {
        provider: Provider::Whop,
        refund_id: refund_id.to_owned(),
        payment_id: payment_id.to_owned(),
        account: Some(ACCOUNT.to_owned()),
        amount: Money::usd(cents),
        state,
        request: None,
        failure: None,
    }
}

/// What the provider says about a dispute over all that was charged.
pub fn dispute(dispute_id: &str, payment_id: &str, state: DisputeState) -> DisputeFacts {
    DisputeFacts {
        provider: Provider::Whop,
        dispute_id: dispute_id.to_owned(),
        payment_id: payment_id.to_owned(),
        account: Some(ACCOUNT.to_owned()),
        amount: None,
        state,
        respond_by: None,
    }
}

/// A promotional lot: no expiry, its own key.
pub fn promo(to: &SignedIn, credits: i64) -> Grant {
    Grant {
        transaction: None,
        key: Key::new("test", ids::fresh().to_string()),
        to: to.id(),
        credits: Credits::new(credits),
        counter: "promo",
        source: LotSource::Promo,
        expires_at: None,
        order: None,
        paid: None,
        actor: "test".to_owned(),
        description: "Given".to_owned(),
    }
}

/// A spend under its own key.
pub fn usage(from: &SignedIn, credits: i64) -> Spend {
    Spend {
        key: Key::new("test", ids::fresh().to_string()),
        from: from.id(),
        credits: Credits::new(credits),
        counter: "consumed:app".to_owned(),
        actor: "test".to_owned(),
        description: "Used".to_owned(),
    }
}

/// The reason of a refusal, which the result has to be.
pub fn refusal<T: Debug>(result: Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// A spend under a fresh key.
pub fn spend_of(person: &SignedIn, credits: i64) -> Spend {
    Spend {
        key: Key::new("test", ids::fresh().to_string()),
        from: person.id(),
        credits: Credits::new(credits),
        counter: "consumed:app".to_owned(),
        actor: "test".to_owned(),
        description: "Used".to_owned(),
    }
}
