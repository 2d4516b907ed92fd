//! A stage, a sandbox of its own, and a browser that goes out and comes back.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU8, Ordering};

use atlas::audit::Origin;
use atlas::people::SignedIn;
use atlas::people::fresh::{self, Fresh};
use atlas::people::oauth::begin::{Asking, Begun, begin};
use atlas::people::oauth::finish::{Back, Done, Finished, Rejected, finish};
use atlas::providers::whop::oauth::pkce::Handle;
use atlas::providers::whop::oauth::{Oauth, OauthSettings};
use atlas::{Result, ids};
use clap::Parser as _;
use reqwest::Url;
use sandbox::Running;
use sandbox::oauth::{Asked, Lie};
use sandbox::options::Options;
use secrecy::SecretString;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::Stage;

const CLIENT: &str = "app_AtlasTests";
const SECRET: &str = "a secret of the client";
const CALLBACK: &str = "https://atlas.example/api/whop/callback";
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

pub struct Scene {
    pub stage: Stage,
    pub oauth: Oauth,
    whop: Running,
    browser: reqwest::Client,
    tries: AtomicU8,
}

impl Scene {
    pub async fn new(pool: PgPool) -> Self {
        let flags =
            ["--listen=127.0.0.1:0", "--client-id", CLIENT, "--client-secret", SECRET, "--redirect-uri", CALLBACK];
        let whop = sandbox::start(&Options::try_parse_from(["sandbox"].iter().chain(&flags)).unwrap()).await.unwrap();
        let oauth = Oauth::new(OauthSettings {
            oauth_url: format!("http://{}/oauth", whop.address),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SecretString::from(SECRET)),
            redirect_uri: CALLBACK.to_owned(),
        })
        .unwrap();
        let mut stage = Stage::new(pool).await;
        stage.ctx.whop_oauth = Some(oauth.clone());
        let browser =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { stage, oauth, whop, browser, tries: AtomicU8::new(1) }
    }

    pub fn lies(&self, lies: &[Lie]) {
        self.whop.sandbox.change(|world| world.faults.oauth_lies = lies.to_vec());
    }

    /// Every answer fails, after what was asked is done, or before.
    pub fn fails(&self, status: Option<u16>, after_doing: bool) {
        self.whop.sandbox.change(|world| {
            world.faults.oauth_error_status = status;
            world.faults.oauth_error_after_doing = after_doing;
        });
    }

    pub fn asked(&self) -> Asked {
        self.whop.sandbox.read(|world| world.asked)
    }

    /// Grants that still stand at Whop.
    pub fn standing(&self) -> usize {
        self.whop.sandbox.read(|world| world.grants.newest().filter(|grant| !grant.revoked).count())
    }

    /// As if the person took all of them back at Whop.
    pub fn takes_back(&self) {
        self.whop.sandbox.change(|world| {
            let ids: Vec<String> = world.grants.newest().map(|grant| grant.id.clone()).collect();
            for id in ids {
                world.grants.edit(&id).unwrap().revoked = true;
            }
        });
    }

    pub async fn goes_out(&self, asking: Asking<'_>) -> Begun {
        begin(&self.stage.ctx, &self.oauth, asking, "/credits", ADDRESS).await.unwrap()
    }

    /// What the browser comes back with after the person with this address allowed it.
    pub async fn allows(&self, begun: &Begun, email: &str) -> String {
        let url = Url::parse(&begun.url).unwrap();
        let body = format!("{}&decision=allow&email={}", url.query().unwrap(), email.replace('@', "%40"));
        let answer = self
            .browser
            .post(format!("http://{}/oauth/authorize", self.whop.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        assert!(back.as_str().starts_with(CALLBACK));
        back.query().unwrap().to_owned()
    }

    pub async fn comes_back(&self, handle: Option<&Handle>, query: &str) -> Result<Done, Rejected> {
        self.comes_back_as(handle, query, None).await
    }

    pub async fn comes_back_as(
        &self,
        handle: Option<&Handle>,
        query: &str,
        asker: Option<(SignedIn, [u8; 32])>,
    ) -> Result<Done, Rejected> {
        let number = self.tries.fetch_add(1, Ordering::Relaxed);
        let address = IpAddr::V4(Ipv4Addr::new(198, 18, 0, number));
        let back = Back { query: query.to_owned(), handle: handle.cloned(), asker, address, origin: Origin::NONE };
        finish(&self.stage.ctx, &self.oauth, back).await
    }

    /// Each time from another address: how often one may is another story.
    pub async fn tries_to_sign_in(&self, email: &str) -> Result<Done, Rejected> {
        let begun = self.goes_out(Asking::SignIn).await;
        let query = self.allows(&begun, email).await;
        self.comes_back(Some(&begun.handle), &query).await
    }

    /// Signs in, and begins a session as the server does.
    pub async fn signs_in(&self, email: &str) -> (SignedIn, Uuid) {
        let (person, grant) = signed_in(self.tries_to_sign_in(email).await);
        self.session(&person, Some(grant)).await;
        (person, grant)
    }

    /// A session of the person's, confirmed a moment ago.
    pub async fn session(&self, person: &SignedIn, grant: Option<Uuid>) -> [u8; 32] {
        let hash: [u8; 32] = [ids::fresh().into_bytes(), ids::fresh().into_bytes()].concat().try_into().unwrap();
        sqlx::query(
            "insert into sessions (id_hash, person_id, data, created_at, seen_at, expires_at, confirmed_at, grant_id)
            values ($1, $2, '{}', $3, $3, $3::timestamptz + interval '30 days', now(), $4)",
        )
        .bind(&hash[..])
        .bind(person.id())
        .bind(self.stage.ctx.now())
        .bind(grant)
        .execute(&self.stage.owner)
        .await
        .unwrap();
        hash
    }

    pub async fn fresh(&self, person: &SignedIn) -> (Fresh, [u8; 32]) {
        let session = self.session(person, None).await;
        (fresh::check(&self.stage.ctx.db, person, session).await.unwrap().unwrap(), session)
    }

    pub async fn people(&self) -> i64 {
        self.stage.count("select count(*) from user_profiles").await
    }

    pub async fn sessions(&self) -> i64 {
        self.stage.count("select count(*) from sessions").await
    }
}

pub fn signed_in(done: Result<Done, Rejected>) -> (SignedIn, Uuid) {
    match done {
        Ok(Done { outcome: Ok(Finished::SignedIn { person, grant }), .. }) => (person, grant),
        other => panic!("not signed in: {other:?}"),
    }
}

/// The word under which it was rejected.
pub fn rejected(done: Result<Done, Rejected>) -> String {
    match done {
        Err(Rejected::Because(word)) => word,
        other => panic!("not rejected: {other:?}"),
    }
}
