//! One file a page. A page awaits one or few verbs of the core and draws every answer they can give.

pub mod account;
pub mod admin;
pub mod confirm;
pub mod credits;
pub mod forgot_password;
pub mod home;
pub mod linked;
pub mod not_found;
pub mod payment_status;
pub mod receipt;
pub mod set_up;
pub mod sign_in;
pub mod sign_in_code;
pub mod sign_in_refused;
pub mod sign_up;
pub mod transaction;
pub mod transactions;

use atlas::Result;
use atlas::people::fresh::Fresh;
use atlas::people::{Owner, SignedIn, Visitor};
use domain::paths;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::parts::problem::{confirm_first, problem, second_factor_first, sign_in_first};
use crate::request::Request;

/// Draws a page for whoever is signed in, or who looks at somebody's pages; others are sent to sign in and back. Those who have to
/// set up their second factor first are sent to do that.
async fn for_owner<F>(back_to: &str, draw: impl FnOnce(Request, Owner) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let drawn = async {
        let request = Request::current()?;
        match (request.owner().await?, request.visitor().await?) {
            (Some(owner), _) => draw(request, owner).await,
            (None, Visitor::SettingUp(_)) => Ok(second_factor_first()),
            (None, _) => Ok(sign_in_first(back_to)),
        }
    };
    drawn.await.unwrap_or_else(|error| problem(&error))
}

/// Draws a page for whoever is signed in, be it only to set up their second factor.
async fn for_anybody<F>(back_to: &str, draw: impl FnOnce(Request, SignedIn) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    let request = match Request::current() {
        Ok(request) => request,
        Err(error) => return problem(&error),
    };
    let visitor = match request.visitor().await {
        Ok(visitor) => visitor,
        Err(error) => return problem(&error),
    };
    let Some(person) = visitor.anybody().cloned() else { return sign_in_first(back_to) };
    match draw(request, person).await {
        Ok(view) => view,
        Err(error) => problem(&error),
    }
}

/// Draws a page for whoever confirmed a moment ago that it is them, be it only to set up their second factor; others are asked
/// to, and come back.
async fn for_fresh<F>(back_to: &'static str, draw: impl FnOnce(Request, Fresh) -> F) -> AnyView
where
    F: Future<Output = Result<AnyView>>,
{
    for_anybody(back_to, async |request, person| match request.fresh(&person).await? {
        Some(_) if request.person().await?.is_none() && back_to != paths::SECOND_FACTOR => Ok(second_factor_first()),
        Some(fresh) => draw(request, fresh).await,
        None => Ok(confirm_first(back_to)),
    })
    .await
}

/// A value from the address's query; empty when it isn't there. PostgreSQL knows no NUL.
fn query(name: &str) -> String {
    use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default().replace('\0', " ")
}

/// A value from the address's path.
fn param(name: &str) -> String {
    use_params_map().with_untracked(|params| params.get(name)).unwrap_or_default()
}
