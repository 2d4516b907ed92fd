//! A stage whose provider is a real client of Whop's, over HTTP, with the sandbox at the other end.

use std::sync::Arc;

use atlas::audit::{Origin, Reason};
use atlas::jobs::work::{Tools, run_due};
use atlas::plans::desk::{self, Mirror};
use atlas::plans::revise::{Edit, revise};
use atlas::plans::sale::{Sale, set};
use atlas::plans::terms::Typed;
use atlas::providers::whop::{Client, Limits, Settings, Whop};
use atlas::providers::{PaymentProvider, Providers};
use clap::Parser as _;
use domain::PlanId;
use sandbox::Running;
use sandbox::options::Options;
use sqlx::PgPool;

use super::super::{TYPED, made, terms};
use crate::stage::Stage;
use crate::stage::boss::{Boss, admin};
use crate::whop_scene::limits;

pub const KEY: &str = "apik_a_key_for_the_mirror_tests";
const COMPANY: &str = "biz_Ex0001";

pub struct Scene {
    pub stage: Stage,
    pub boss: Boss,
    pub whop: Running,
}

fn client(address: &str) -> Providers {
    let settings = Settings {
        api_url: format!("http://{address}/api/v1"),
        api_key: KEY.into(),
        company_id: COMPANY.to_owned(),
        limits: Limits { tries: 1, ..limits() },
    };
    Providers::new([Arc::new(Whop::new(Client::new(settings).unwrap())) as Arc<dyn PaymentProvider>])
}

impl Scene {
    pub async fn new(pool: PgPool) -> Self {
        let flags = ["sandbox", "--listen=127.0.0.1:0", "--api-key", KEY, "--company-id", COMPANY];
        let whop = sandbox::start(&Options::try_parse_from(flags).unwrap()).await.unwrap();
        let mut stage = Stage::new(pool).await;
        stage.ctx.providers = client(&whop.address.to_string());
        let boss = admin(&stage, "boss").await;
        Self { stage, boss, whop }
    }

    pub async fn works(&self) {
        sqlx::query("update graphile_worker._private_jobs set run_at = now()")
            .execute(&self.stage.owner)
            .await
            .unwrap();
        run_due(&Tools { ctx: self.stage.ctx.clone(), post: None }).await.unwrap();
    }

    pub async fn sells(&self, plan: PlanId, sale: Sale) {
        let reason = Reason::parse("reason", "Season").unwrap();
        set(&self.stage.ctx, &self.boss.0, &self.boss.1, &Origin::NONE, plan, sale, &reason).await.unwrap();
    }

    pub async fn edits(&self, plan: PlanId, typed: &Typed<'_>) {
        let revision = desk::open(&self.stage.ctx.db, &self.boss.0, plan).await.unwrap().revision;
        let edit = Edit { plan, revision, terms: terms(typed) };
        let reason = Reason::parse("reason", "New prices").unwrap();
        revise(&self.stage.ctx, &self.boss.0, &self.boss.1, &Origin::NONE, &edit, &reason).await.unwrap();
    }

    pub async fn mirrored(&self, plan: PlanId) -> Mirror {
        desk::open(&self.stage.ctx.db, &self.boss.0, plan).await.unwrap().mirror.unwrap()
    }

    /// A new plan on sale, with its counterpart.
    pub async fn on_sale(&self) -> PlanId {
        let plan = made(&self.stage, &self.boss, &TYPED).await;
        self.sells(plan, Sale::On).await;
        self.works().await;
        plan
    }

    /// What Whop says of each plan there: title, price, visibility; oldest first.
    pub fn at_whop(&self) -> Vec<String> {
        self.whop.sandbox.read(|world| {
            let mut all: Vec<_> = world
                .plans
                .newest()
                .map(|plan| {
                    let price = plan.terms.initial_price;
                    format!(
                        "{} {} {} {}",
                        plan.terms.title.clone().unwrap(),
                        price.text(),
                        plan.terms.currency().as_str(),
                        plan.terms.visibility
                    )
                })
                .collect();
            all.reverse();
            all
        })
    }

    pub fn products(&self) -> Vec<String> {
        self.whop.sandbox.read(|world| {
            world.products.newest().map(|product| format!("{} {}", product.title, product.visibility)).collect()
        })
    }

    pub fn fails(&self, status: Option<u16>, after_doing: bool) {
        self.whop.sandbox.change(|world| {
            world.faults.api_error_status = status;
            world.faults.api_error_after_doing = after_doing;
        });
    }
}
