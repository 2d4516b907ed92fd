//! The way back: who came, whether it is an answer to what this browser asked, and whom it names.

use std::net::IpAddr;

use domain::PersonId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Purpose;
use super::callback::{self, Returned};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::people::half::{Entrance, Half};
use crate::people::{SignedIn, grants, identities};
use crate::providers::whop::oauth::pkce::Handle;
use crate::providers::whop::oauth::{Oauth, OauthError, Subject, Tokens, UserInfo};
use crate::{Context, Error, Refusal, Result, tasks};

/// What a browser came back with.
#[derive(Debug, Clone)]
pub struct Back {
    pub query: String,
    /// From its cookie, which is to be taken away now.
    pub handle: Option<Handle>,
    /// Who is signed in there, and in which session.
    pub asker: Option<(SignedIn, [u8; 32])>,
    pub address: IpAddr,
    pub origin: Origin,
}

/// Whom the authorisation server vouches for.
#[derive(Debug, Clone)]
pub struct Vouched {
    pub issuer: String,
    pub subject: String,
    /// What they are called there; for their own eyes.
    pub label: String,
    pub verified_email: Option<String>,
}

/// What came of an attempt that was this browser's.
#[derive(Debug)]
pub struct Done {
    pub purpose: Purpose,
    pub return_to: String,
    /// A refusal is to be said where the attempt began.
    pub outcome: Result<Finished>,
}

#[derive(Debug)]
pub enum Finished {
    /// A session is to begin, with this grant.
    SignedIn {
        person: SignedIn,
        grant: Uuid,
    },
    /// The code of the second factor is still owed. Nothing of the grant is kept.
    Half(Half),
    Linked,
    /// The session may be taken for confirmed.
    Confirmed(SignedIn),
}

/// It was no answer to anything that this browser asked, or not to be believed. Nothing was changed.
#[derive(Debug)]
pub enum Rejected {
    /// One word for the log.
    Because(String),
    Failed(Error),
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Finishes what [`super::begin::begin`] began, to its end even if the browser hangs up.
pub async fn finish(ctx: &Context, oauth: &Oauth, back: Back) -> Result<Done, Rejected> {
    let (ctx, oauth) = (ctx.clone(), oauth.clone());
    let done = async move { Ok(answer(&ctx, &oauth, back).await) };
    tasks::run_to_end(done).await?
}

async fn answer(ctx: &Context, oauth: &Oauth, back: Back) -> Result<Done, Rejected> {
    let because = |word: &str| Rejected::Because(word.to_owned());
    // Whatever comes, the attempt is over: it is deleted before anything is compared.
    let handle = back.handle.as_ref().ok_or_else(|| because("no_cookie"))?;
    let attempt = Attempt::take(ctx, handle).await?.ok_or_else(|| because("no_attempt"))?;
    let origin = back.origin.clone();
    let answered = answer_to(ctx, oauth, handle, attempt, &back).await;
    if let Err(Rejected::Because(word)) = &answered {
        // Only of those who had asked us: others can't fill the audit.
        let by = By { who: Who::Nobody, origin: &origin };
        let about = About::Thing { kind: "whop_sign_in", id: word };
        audit::record(&mut *ctx.db.acquire().await.map_err(Error::from)?, &by.did(What::IdentityRefused, about))
            .await?;
    }
    answered
}

async fn answer_to(
    ctx: &Context,
    oauth: &Oauth,
    handle: &Handle,
    attempt: Attempt,
    back: &Back,
) -> Result<Done, Rejected> {
    let because = |word: &str| Rejected::Because(word.to_owned());
    let returned = callback::parse(&back.query, oauth.issuer()).map_err(|malformed| because(&malformed.to_string()))?;
    if !handle.is_state(returned.state()) {
        return Err(because("state"));
    }
    if attempt.expires_at <= ctx.now() {
        return Err(because("expired"));
    }
    let asker = attempt.asker(back).map_err(because)?;
    let (purpose, return_to) = (attempt.purpose, attempt.return_to);
    let code = match returned {
        Returned::Code { code, .. } => code,
        Returned::Error { error, .. } => {
            tracing::info!(error, "the authorisation server said no");
            let refusal = if error == "access_denied" { Refusal::CancelledAtWhop } else { Refusal::WhopSaidNo };
            return Ok(Done { purpose, return_to, outcome: Err(refusal.into()) });
        }
    };
    let tokens = match oauth.exchange(&code, &handle.verifier()).await {
        Ok(tokens) => tokens,
        Err(OauthError::Gone) => return Err(because("code")),
        Err(error) => return Ok(Done { purpose, return_to, outcome: Err(not_now(&error)) }),
    };
    let outcome = match vouched(ctx, oauth, &tokens, &handle.nonce()).await {
        Err(Rejected::Because(word)) => {
            discard(oauth, tokens);
            return Err(Rejected::Because(word));
        }
        Err(Rejected::Failed(error)) => Err(error),
        Ok(vouched) => carry_out(ctx, purpose, asker.as_ref(), &vouched, &tokens, back).await,
    };
    // Only a session that begins with it keeps a grant.
    if !matches!(outcome, Ok(Finished::SignedIn { .. })) {
        discard(oauth, tokens);
    }
    Ok(Done { purpose, return_to, outcome })
}

/// Who the tokens are about: the id_token says it under the issuer's signature, and userinfo has to agree.
async fn vouched(ctx: &Context, oauth: &Oauth, tokens: &Tokens, nonce: &str) -> Result<Vouched, Rejected> {
    let id_token = tokens.id_token.as_ref().ok_or_else(|| Rejected::Because("no_id_token".to_owned()))?;
    let checked = oauth.check_id_token(id_token, nonce, ctx.now()).await.map_err(|error| not_now(&error))?;
    let Subject(subject) = checked.map_err(|bad| Rejected::Because(format!("id_token: {bad}")))?;
    let info = match oauth.user_info(&tokens.access).await {
        Err(OauthError::Gone) => return Err(Rejected::Because("access_token".to_owned())),
        asked => asked.map_err(|error| not_now(&error))?,
    };
    if info.subject != subject {
        return Err(Rejected::Because("subject".to_owned()));
    }
    let label = label(&info);
    Ok(Vouched { issuer: oauth.issuer().to_owned(), subject, label, verified_email: info.verified_email })
}

fn label(info: &UserInfo) -> String {
    let label = info.username.as_ref().or(info.name.as_ref()).cloned().unwrap_or_default();
    label.chars().take(identities::LABEL_CHARS_MAX).collect()
}

async fn carry_out(
    ctx: &Context,
    purpose: Purpose,
    asker: Option<&SignedIn>,
    vouched: &Vouched,
    tokens: &Tokens,
    back: &Back,
) -> Result<Finished> {
    match (purpose, asker) {
        (Purpose::SignIn, _) => {
            let known = identities::sign_in(ctx, vouched, back.address, &back.origin).await?;
            match Entrance::of(known.person) {
                Entrance::Whole(person) => {
                    let grant = grants::keep(ctx, known.identity, tokens).await?;
                    Ok(Finished::SignedIn { person, grant })
                }
                Entrance::Half(half) => Ok(Finished::Half(half)),
            }
        }
        (Purpose::Link, Some(person)) => {
            identities::link(ctx, person, vouched, &back.origin).await?;
            Ok(Finished::Linked)
        }
        (Purpose::Confirm, Some(person)) => {
            // Where there is a second factor, confirming takes it; without a password only Whop can be asked.
            if person.has_second_factor() && identities::ways_in(&ctx.db, person).await?.password {
                return Err(Refusal::CodeRequired.into());
            }
            if !identities::is_theirs(&ctx.db, person, vouched).await? {
                return Err(Refusal::AnotherWhopAccount.into());
            }
            Ok(Finished::Confirmed(person.clone()))
        }
        (Purpose::Link | Purpose::Confirm, None) => Err(Error::broken("an attempt of nobody")),
    }
}

/// Gives back what nobody will use, beside everything else.
fn discard(oauth: &Oauth, tokens: Tokens) {
    let oauth = oauth.clone();
    if let Some(refresh) = tokens.refresh {
        tasks::spawn(async move {
            if let Err(error) = oauth.revoke(&refresh).await {
                tracing::warn!(%error, "a grant that nobody uses could not be given back");
            }
        });
    }
}

fn not_now(error: &OauthError) -> Error {
    tracing::warn!(%error, "signing in with Whop does not work just now");
    Refusal::WhopUnavailable.into()
}

struct Attempt {
    purpose: Purpose,
    whose: Option<(PersonId, Vec<u8>)>,
    return_to: String,
    expires_at: OffsetDateTime,
}

impl Attempt {
    /// Each is there once. Where two come back at once, one finds it.
    async fn take(ctx: &Context, handle: &Handle) -> Result<Option<Self>> {
        let row = sqlx::query!(
            r#"delete from oauth_attempts where handle_hash = $1
            returning purpose, person_id as "person_id: PersonId", session_hash, return_to, expires_at"#,
            &handle.hash()[..],
        )
        .fetch_optional(&ctx.db)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Self {
            purpose: Purpose::parse(&row.purpose)?,
            whose: row.person_id.zip(row.session_hash),
            return_to: row.return_to,
            expires_at: row.expires_at,
        }))
    }

    /// Whoever began it, in the session that they began it from; nobody, where nobody had to be signed in.
    ///
    /// Errors: somebody else came back, in one word for the log.
    fn asker(&self, back: &Back) -> Result<Option<SignedIn>, &'static str> {
        let Some((person, session)) = &self.whose else { return Ok(None) };
        match &back.asker {
            Some((asker, from)) if asker.id() == *person && from[..] == session[..] => Ok(Some(asker.clone())),
            _ => Err("session"),
        }
    }
}
