//! The second word on what one person may not do alone: confirmed or declined by another admin, taken back by whoever asked.

use std::str::FromStr;

use atlas::audit::Reason;
use atlas::by_hand;
use atlas::orders::refund;
use atlas::people::fresh::Fresh;
use atlas::people::roles::Admin;
use atlas::{Error, Result};
use domain::{CreditDeedId, FieldErrors, RefundRequestId, paths};

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;
use crate::words;

pub const DECLINE_FORM: &str = "decline";

/// What waits for a second admin, by its id.
pub(super) trait Waiting: FromStr {
    /// What is said of a no: what did not happen.
    const NOTHING: &str;
    /// Where whoever asked is sent when it can't be taken back.
    const ASKED_AT: &str;

    /// Does it, and says what became of it.
    async fn confirm(self, request: &Request, admin: &Admin, fresh: &Fresh) -> Result<String>;
    async fn decline(self, request: &Request, admin: &Admin, fresh: &Fresh, why: &Reason) -> Result<()>;
    /// Takes it back for whoever asked, and says where they go on.
    async fn withdraw(self, request: &Request) -> Result<String>;
}

impl Waiting for RefundRequestId {
    const NOTHING: &str = "Nothing was paid back.";
    const ASKED_AT: &str = paths::ADMIN_ORDERS;

    async fn confirm(self, request: &Request, admin: &Admin, fresh: &Fresh) -> Result<String> {
        let asked = refund::confirm::confirm(request.ctx(), admin, fresh, &request.origin(), self).await?;
        Ok(words::refund_asked(asked.state).to_owned())
    }

    async fn decline(self, request: &Request, admin: &Admin, fresh: &Fresh, why: &Reason) -> Result<()> {
        refund::confirm::decline(request.ctx(), admin, fresh, &request.origin(), self, why).await.map(drop)
    }

    async fn withdraw(self, request: &Request) -> Result<String> {
        let finance = request.finance().await?;
        let order = refund::confirm::withdraw(request.ctx(), &finance, &request.origin(), self).await?;
        Ok(paths::admin_order(order))
    }
}

impl Waiting for CreditDeedId {
    const NOTHING: &str = "No credits moved.";
    const ASKED_AT: &str = paths::ADMIN_APPROVALS;

    async fn confirm(self, request: &Request, admin: &Admin, fresh: &Fresh) -> Result<String> {
        by_hand::confirm::confirm(request.ctx(), admin, fresh, &request.origin(), self).await?;
        Ok("Confirmed, and done.".to_owned())
    }

    async fn decline(self, request: &Request, admin: &Admin, fresh: &Fresh, why: &Reason) -> Result<()> {
        by_hand::confirm::decline(request.ctx(), admin, fresh, &request.origin(), self, why).await
    }

    async fn withdraw(self, request: &Request) -> Result<String> {
        let admin = request.admin().await?;
        by_hand::confirm::withdraw(request.ctx(), &admin, &request.origin(), self).await?;
        Ok(paths::ADMIN_APPROVALS.to_owned())
    }
}

pub(super) async fn confirm<Id: Waiting>(id: &str) {
    let Ok(request) = Request::current() else { return };
    let outcome = say_yes::<Id>(&request, id).await;
    answer(&request, paths::ADMIN_APPROVALS, Form::default(), outcome).await;
}

async fn say_yes<Id: Waiting>(request: &Request, id: &str) -> Result<String> {
    let admin = request.admin().await?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(paths::ADMIN_APPROVALS));
    };
    let said = read::<Id>(id)?.confirm(request, &admin, &fresh).await?;
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::ADMIN_APPROVALS.to_owned())
}

pub(super) async fn decline<Id: Waiting>(id: &str, reason: &str) {
    let Ok(request) = Request::current() else { return };
    let form = Form::new(DECLINE_FORM, &[("of", id), ("reason", reason)], FieldErrors::default());
    let outcome = say_no::<Id>(&request, id, reason).await;
    answer(&request, paths::ADMIN_APPROVALS, form, outcome).await;
}

async fn say_no<Id: Waiting>(request: &Request, id: &str, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(paths::ADMIN_APPROVALS));
    };
    let id = read::<Id>(id)?;
    let reason = Reason::parse("reason", reason).map_err(Error::Invalid)?;
    id.decline(request, &admin, &fresh, &reason).await?;
    flash::leave(request, Flash::Done(format!("Declined. {}", Id::NOTHING))).await?;
    Ok(paths::ADMIN_APPROVALS.to_owned())
}

pub(super) async fn withdraw<Id: Waiting>(id: &str) {
    let Ok(request) = Request::current() else { return };
    let outcome = take_back::<Id>(&request, id).await;
    answer(&request, Id::ASKED_AT, Form::default(), outcome).await;
}

async fn take_back<Id: Waiting>(request: &Request, id: &str) -> Result<String> {
    let page = read::<Id>(id)?.withdraw(request).await?;
    flash::leave(request, Flash::Done(format!("Withdrawn. {}", Id::NOTHING))).await?;
    Ok(page)
}

fn read<Id: Waiting>(id: &str) -> Result<Id> {
    id.parse().map_err(|_| Error::NotFound)
}
