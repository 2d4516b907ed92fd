//! Spends of applications: many at once through few transactions, each with its own answer.

use atlas::api_keys::Scope;
use atlas::api_keys::activity::activity;
use atlas::api_keys::create::{Created, NewApiKey, create};
use atlas::api_keys::revoke::revoke;
use atlas::api_keys::secret::KeyHash;
use atlas::ledger::Moved;
use atlas::people::SignedIn;
use atlas::spends::{IdempotencyKey, Request, Spends, Usage};
use atlas::{Error, Refusal, Result, ids};
use domain::{Credits, PersonId};
use futures::future::join_all;
use futures::poll;
use secrecy::ExposeSecret as _;
use sqlx::PgPool;

use crate::stage::{OPERATOR, Stage, promo, refusal};

struct Shop {
    stage: Stage,
    spends: Spends,
    key: Created,
}

impl Shop {
    async fn open(pool: PgPool) -> Self {
        let stage = Stage::new(pool).await;
        let new = NewApiKey::parse("Shop", "shop", vec![Scope::Spend]).unwrap();
        let key = create(&stage.ctx, &OPERATOR, &new).await.unwrap();
        Self { spends: Spends::start(&stage.ctx), stage, key }
    }

    async fn customer(&self, name: &str, credits: i64) -> SignedIn {
        let person = self.stage.buyer(name).await;
        self.stage.grants(&promo(&person, credits)).await.unwrap();
        person
    }

    fn request(&self, owner: PersonId, credits: i64) -> Request {
        Request {
            caller: KeyHash::of(self.key.key.expose_secret()).unwrap(),
            key: IdempotencyKey::parse(&ids::fresh().to_string()).unwrap(),
            usage: Usage::parse(owner, credits, None).unwrap(),
        }
    }

    async fn spend(&self, request: &Request) -> Result<Moved> {
        self.spends.spend(request.clone()).await
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn many_wallets_at_once_are_each_charged_what_they_spent(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let mut people = Vec::new();
    for name in 0..20 {
        people.push(shop.customer(&name.to_string(), 1_000).await);
    }
    let requests: Vec<Request> =
        (0..600).zip((1..=7).cycle()).map(|(n, credits)| shop.request(people[n % 20].id(), credits)).collect();
    let answers = join_all(requests.iter().map(|request| shop.spend(request))).await;

    let mut transactions = std::collections::HashSet::new();
    for ((request, credits), answer) in requests.iter().zip((1..=7).cycle()).zip(answers) {
        let moved = answer.unwrap();
        assert_eq!((moved.net, moved.replayed), (Credits::new(-credits), false));
        assert!(transactions.insert(moved.transaction), "{request:?}");
    }
    let total: i64 = (0..600).map(|n| n % 7 + 1).sum();
    let mut left = 0;
    for person in &people {
        left += shop.stage.posted(person).await;
    }
    assert_eq!(left, 20_000 - total);
    let booked: i64 = sqlx::query_scalar(
        "select -sum(amount)::bigint from credit_entries where counter_id = (select id from credit_accounts where code = 'consumed:shop')",
    )
    .fetch_one(&shop.stage.owner)
    .await
    .unwrap();
    assert_eq!(booked, total);
    let batches = shop.stage.count("select count(distinct xmin::text) from credit_entries").await;
    assert!(batches < 100, "{batches} transactions for 600 spends");
    shop.stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_refused_spoils_none_of_its_batch(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let ana = shop.customer("ana", 100).await;
    let foreign = {
        let new = NewApiKey::parse("Gone", "shop", vec![Scope::Spend]).unwrap();
        let gone = create(&shop.stage.ctx, &OPERATOR, &new).await.unwrap();
        revoke(&shop.stage.ctx, &OPERATOR, gone.id).await.unwrap();
        KeyHash::of(gone.key.expose_secret()).unwrap()
    };
    // The same last byte: the same lane, and so the same batch.
    let mut nobody = ids::fresh().into_bytes();
    nobody[15] = ana.id().uuid().as_bytes()[15];
    let nobody = PersonId::from_uuid(uuid::Uuid::from_bytes(nobody));
    let fine = || shop.request(ana.id(), 10);
    let requests =
        [fine(), Request { caller: foreign, ..fine() }, shop.request(nobody, 1), shop.request(ana.id(), 1_000), fine()];
    // The first batch may hold the first alone; the rest are the second.
    let answers = join_all(requests.iter().map(|request| shop.spend(request))).await;
    let words: Vec<Option<Refusal>> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(_) => None,
            Err(Error::Refused(refusal)) => Some(refusal),
            Err(other) => panic!("{other:?}"),
        })
        .collect();
    let expected = [None, Some(Refusal::UnknownApiKey), Some(Refusal::NoWallet), Some(Refusal::NotEnoughCredits), None];
    assert_eq!(words, expected);
    assert_eq!(shop.stage.posted(&ana).await, 80);
    shop.stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn revoking_a_key_bites_on_the_next_spend(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let ana = shop.customer("ana", 100).await;
    let first = shop.request(ana.id(), 1);
    shop.spend(&first).await.unwrap();
    revoke(&shop.stage.ctx, &OPERATOR, shop.key.id).await.unwrap();
    for request in [first, shop.request(ana.id(), 1)] {
        assert_eq!(refusal(shop.spend(&request).await), Refusal::UnknownApiKey);
    }
    assert_eq!(shop.stage.posted(&ana).await, 99);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_same_request_gets_the_first_answer_and_another_is_refused(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let (ana, ben) = (shop.customer("ana", 100).await, shop.customer("ben", 100).await);
    let job = |owner: &SignedIn, credits, said: &str| Usage::parse(owner.id(), credits, Some(said.to_owned())).unwrap();
    let first = Request { usage: job(&ana, 10, "Job 1"), ..shop.request(ana.id(), 1) };
    let moved = shop.spend(&first).await.unwrap();
    shop.spend(&shop.request(ana.id(), 5)).await.unwrap();

    let again = shop.spend(&first).await.unwrap();
    assert_eq!(again, Moved { replayed: true, ..moved }, "the balance of then, too");
    for usage in [job(&ana, 11, "Job 1"), job(&ben, 10, "Job 1"), job(&ana, 10, "Job 2")] {
        let other = Request { usage, ..first.clone() };
        assert_eq!(refusal(shop.spend(&other).await), Refusal::KeyUsedForAnotherRequest, "{other:?}");
    }
    // All at once, in one batch.
    let twins = Request { key: IdempotencyKey::parse("twins").unwrap(), ..first.clone() };
    let other = Request { usage: job(&ana, 10, "Job 2"), ..twins.clone() };
    let answers = join_all([&twins, &twins, &other].map(|request| shop.spend(request))).await;
    assert!(!answers[0].as_ref().unwrap().replayed && answers[1].as_ref().unwrap().replayed);
    assert!(matches!(answers[2], Err(Error::Refused(Refusal::KeyUsedForAnotherRequest))));
    assert_eq!((shop.stage.posted(&ana).await, shop.stage.posted(&ben).await), (75, 100));
    shop.stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_application_has_its_own_idempotency_keys(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let ana = shop.customer("ana", 100).await;
    let new = NewApiKey::parse("Kiosk", "kiosk", vec![Scope::Spend]).unwrap();
    let kiosk = create(&shop.stage.ctx, &OPERATOR, &new).await.unwrap();
    let first = shop.request(ana.id(), 10);
    let same_key = Request { caller: KeyHash::of(kiosk.key.expose_secret()).unwrap(), ..first.clone() };
    let (one, other) = (shop.spend(&first).await.unwrap(), shop.spend(&same_key).await.unwrap());
    assert_ne!(one.transaction, other.transaction);
    let said: Vec<(String, String, String)> = sqlx::query_as(
        "select scope, actor, description from credit_transactions where kind = 'spend' order by last_seq",
    )
    .fetch_all(&shop.stage.owner)
    .await
    .unwrap();
    let [shop_scope, kiosk_scope] = [shop.key.id, kiosk.id].map(|id| format!("api:{id}"));
    let of = |scope: &String, name: &str| (scope.clone(), scope.clone(), name.to_owned());
    assert_eq!(said, [of(&shop_scope, "Shop"), of(&kiosk_scope, "Kiosk")]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_busy_wallet_takes_no_more_than_its_share(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let (ana, ben) = (shop.customer("ana", 1_000).await, shop.customer("ben", 10).await);
    // Nothing moves while somebody holds the keys' table.
    let mut holding = shop.stage.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table api_keys in access exclusive mode").execute(&mut *holding).await.unwrap();
    let requests: Vec<Request> = (0..256).map(|_| shop.request(ana.id(), 1)).collect();
    let mut waiting = join_all(requests.iter().map(|request| shop.spend(request)));
    assert!(poll!(&mut waiting).is_pending());
    let one_more = shop.request(ana.id(), 1);
    assert_eq!(refusal(shop.spend(&one_more).await), Refusal::WalletTooBusy);
    let of_ben = shop.request(ben.id(), 1);
    let mut of_ben = Box::pin(shop.spend(&of_ben));
    assert!(poll!(&mut of_ben).is_pending(), "others are let in");

    holding.commit().await.unwrap();
    assert!(waiting.await.into_iter().all(|answer| answer.is_ok()));
    of_ben.await.unwrap();
    shop.spend(&one_more).await.unwrap();
    assert_eq!(shop.stage.posted(&ana).await, 743);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_a_leaked_key_did_is_found(pool: PgPool) {
    let shop = Shop::open(pool).await;
    let (ana, ben) = (shop.customer("ana", 100).await, shop.customer("ben", 100).await);
    for (person, credits) in [(&ana, 7), (&ben, 30), (&ana, 3)] {
        shop.spend(&shop.request(person.id(), credits)).await.unwrap();
    }
    let found = activity(&shop.stage.ctx.db, shop.key.id, None, 2).await.unwrap();
    assert_eq!((found.transactions, found.wallets, found.credits), (3, 2, Credits::new(40)));
    assert_eq!(found.name, "Shop");
    assert_eq!(found.newest.len(), 2, "as many as were asked for");
    assert_eq!((found.newest[0].person, found.newest[0].credits), (Some(ana.id()), Credits::new(3)));
    let later = found.last_at.unwrap() + time::Duration::seconds(1);
    assert_eq!(activity(&shop.stage.ctx.db, shop.key.id, Some(later), 10).await.unwrap().transactions, 0);
    let unknown = domain::ApiKeyId::from_uuid(ids::fresh());
    assert!(matches!(activity(&shop.stage.ctx.db, unknown, None, 10).await, Err(Error::NotFound)));
}
