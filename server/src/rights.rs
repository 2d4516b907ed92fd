//! What each door of the site needs, in one place. A request passes only if its route stands here and its sender is or has
//! what the route needs, as the database says at this moment; a route that is missing here is not served (T40).

pub mod guard;
#[cfg(test)]
mod tests;

use atlas::api_keys::Scope;
use domain::{Role, paths};
use http::Method;

use self::Kind::{Api, File, Form, Machine, Page, Stream, Webhook};
use self::Need::{Fresh, Key, Nobody, Of, SettingUp, Signature, SignedIn};
use crate::{csp_reports, embed};

/// What whoever asks must be or have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nobody,
    SignedIn,
    /// Signed in, be it only to set up the second factor that their role asks for. What is changed there wants [`Fresh`] too.
    SettingUp,
    /// Signed in, and confirmed within the last minutes that it is them. The handler asks for that where it is not so, and can't
    /// act without: `people::fresh::Fresh`.
    Fresh,
    /// This role, or one above it.
    Of(Role),
    /// An API key of this scope. The handler looks it up, in the transaction that acts for it.
    Key(Scope),
    /// A signature by the provider, over a webhook or in a token. The handler checks it first.
    Signature,
}

/// How a door says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To sign in and back; 404 for those who may not.
    Page,
    /// A form's action: to sign in; 403 for those who may not.
    Form,
    /// A download: to sign in; 404.
    File,
    /// What a script listens to: 401; 404.
    Stream,
    /// JSON for programs: 401; 403.
    Api,
    /// From the provider's machines: 401.
    Webhook,
    /// For supervisors and browsers: what is in it is nobody's.
    Machine,
}

/// What a door does for an admin whose session looks at somebody's pages (`people::viewing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhileViewing {
    /// Lets nobody in. So are all doors, unless it says otherwise here.
    Closed,
    /// Shows what it shows to the person looked at, read over connections that change nothing: GET and HEAD alone.
    Shown,
    /// Ends it.
    Ends,
}

/// One door.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// The route as the router has it.
    pub path: &'static str,
    pub kind: Kind,
    pub need: Need,
    /// What changing something takes, where looking takes less.
    pub change: Need,
    /// A key of this scope may look, too, whoever holds it being no person. The handler looks it up.
    pub key: Option<Scope>,
    pub while_viewing: WhileViewing,
}

const fn door(path: &'static str, kind: Kind, need: Need) -> Door {
    Door { path, kind, need, change: need, key: None, while_viewing: WhileViewing::Closed }
}

impl Door {
    const fn changed_by(self, change: Need) -> Self {
        Self { change, ..self }
    }

    const fn or_key(self, scope: Scope) -> Self {
        Self { key: Some(scope), ..self }
    }

    const fn shown(self) -> Self {
        Self { while_viewing: WhileViewing::Shown, ..self }
    }

    const fn ends_viewing(self) -> Self {
        Self { while_viewing: WhileViewing::Ends, ..self }
    }

    /// What a request by this method takes.
    pub const fn need_of(&self, method: &Method) -> Need {
        if is_safe(method) { self.need } else { self.change }
    }
}

/// Whether it changes nothing.
pub const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Every route and every server function. Only the built site's files stand apart: the server finds them in a folder, they
/// are nobody's secret, and a request never changes them.
pub const DOORS: &[Door] = &[
    // Pages.
    door(paths::HOME, Page, Nobody).shown(),
    door(paths::SIGN_IN, Page, Nobody),
    door(paths::SIGN_IN_REFUSED, Page, Nobody),
    // Only while there is no admin; all but the first step for whoever entered the code from the log: `set_up::Installer`.
    door(paths::SET_UP, Page, Nobody),
    door(paths::SIGN_UP, Page, Nobody),
    door(paths::FORGOT_PASSWORD, Page, Nobody),
    door(paths::SIGN_IN_CODE, Page, Nobody),
    // Who has the link may see what it is for; the forms behind them ask for more.
    door(paths::RESET_PASSWORD, Page, Nobody),
    door(paths::CONFIRM_EMAIL, Page, Nobody),
    door(paths::KEEP_EMAIL, Page, Nobody),
    door(paths::CREDITS, Page, SignedIn).shown(),
    door(paths::PAYMENT_STATUS, Page, SignedIn).shown(),
    door(paths::TRANSACTIONS, Page, SignedIn).shown(),
    door("/transactions/{id}", Page, SignedIn).shown(),
    door("/receipt/{id}", Page, SignedIn).shown(),
    door(paths::ACCOUNT, Page, SignedIn).shown(),
    door(paths::CONFIRM, Page, SettingUp),
    door(paths::SECOND_FACTOR, Page, SettingUp),
    door(paths::CHANGE_PASSWORD, Page, Fresh),
    door(paths::CHANGE_EMAIL, Page, Fresh),
    door(paths::ACCOUNT_DELETE, Page, Fresh),
    door(paths::ADMIN, Page, Of(Role::Support)),
    door(paths::ADMIN_ORDERS, Page, Of(Role::Support)),
    door(paths::ADMIN_ANSWER, Page, Of(Role::Admin)),
    door("/admin/orders/{id}", Page, Of(Role::Support)),
    door("/admin/orders/{id}/refund", Page, Of(Role::Finance)),
    door(paths::ADMIN_DISPUTES, Page, Of(Role::Support)),
    door(paths::ADMIN_APPROVALS, Page, Of(Role::Admin)),
    door(paths::ADMIN_PEOPLE, Page, Of(Role::Support)),
    door("/admin/people/{id}", Page, Of(Role::Support)),
    door(paths::ADMIN_EVENTS, Page, Of(Role::Support)),
    door("/admin/events/{id}", Page, Of(Role::Support)),
    door(paths::ADMIN_PLANS, Page, Of(Role::Admin)),
    door(paths::ADMIN_PLAN_NEW, Page, Of(Role::Admin)),
    door("/admin/plans/{id}", Page, Of(Role::Admin)),
    door(paths::ADMIN_AUDIT, Page, Of(Role::Admin)),
    door(paths::ADMIN_SETTINGS, Page, Of(Role::Admin)),
    // What forms are sent to: the server functions.
    door("/do/sign-in", Form, Nobody),
    door("/do/sign-up", Form, Nobody),
    door("/do/sign-out", Form, Nobody).ends_viewing(),
    door(paths::CHOOSE_THEME, Form, Nobody),
    door("/do/set-up/enter", Form, Nobody),
    door("/do/set-up/whop-keys", Form, Nobody),
    door("/do/set-up/webhook", Form, Nobody),
    door("/do/set-up/plans", Form, Nobody),
    door("/do/set-up/first-admin", Form, Nobody),
    door("/do/buy-credits", Form, SignedIn),
    door("/do/request-credits", Form, SignedIn),
    door("/do/sign-in-code", Form, Nobody),
    door("/do/forgot-password", Form, Nobody),
    door("/do/reset-password", Form, Nobody),
    door("/do/confirm-email", Form, Nobody),
    door("/do/keep-email", Form, Nobody),
    door("/do/confirm", Form, SettingUp),
    door("/do/begin-second-factor", Form, SettingUp),
    door("/do/finish-second-factor", Form, SettingUp),
    door("/do/remove-second-factor", Form, Fresh),
    door("/do/link-whop", Form, Fresh),
    door("/do/unlink-whop", Form, Fresh),
    door("/do/confirm-with-whop", Form, SettingUp),
    door("/do/enter-licence", Form, SignedIn),
    door("/do/change-email", Form, Fresh),
    door("/do/send-confirmation", Form, SignedIn),
    door("/do/stay-with-email", Form, SignedIn),
    door("/do/rename", Form, SignedIn),
    door("/do/change-password", Form, Fresh),
    door("/do/delete-account", Form, Fresh),
    door(paths::ACCOUNT_EXPORT, Form, SignedIn),
    door("/do/end-session", Form, SignedIn),
    door("/do/end-other-sessions", Form, SignedIn),
    // Out to Whop and back.
    door(paths::WHOP_AUTH, Page, Nobody),
    door(paths::WHOP_CALLBACK, Page, Nobody),
    door(paths::WHOP_VERIFY, Api, SignedIn),
    door(paths::WHOP_REFRESH, Api, SignedIn),
    door("/do/admin/approve-requests", Form, Of(Role::Admin)),
    door("/do/admin/reject-requests", Form, Of(Role::Admin)),
    door("/do/admin/refund", Form, Of(Role::Finance)),
    door("/do/admin/withdraw-refund", Form, Of(Role::Finance)),
    door("/do/admin/confirm-refund", Form, Of(Role::Admin)),
    door("/do/admin/decline-refund", Form, Of(Role::Admin)),
    door("/do/admin/grant-credits", Form, Of(Role::Admin)),
    door("/do/admin/take-credits", Form, Of(Role::Admin)),
    door("/do/admin/forgive-debt", Form, Of(Role::Admin)),
    door("/do/admin/confirm-credits", Form, Of(Role::Admin)),
    door("/do/admin/decline-credits", Form, Of(Role::Admin)),
    door("/do/admin/withdraw-credits", Form, Of(Role::Admin)),
    door("/do/admin/stop-payments", Form, Of(Role::Admin)),
    door("/do/admin/start-payments", Form, Of(Role::Admin)),
    door("/do/admin/create-plan", Form, Of(Role::Admin)),
    door("/do/admin/revise-plan", Form, Of(Role::Admin)),
    door("/do/admin/put-plan-on-sale", Form, Of(Role::Admin)),
    door("/do/admin/take-plan-off-sale", Form, Of(Role::Admin)),
    door("/do/admin/retire-plan", Form, Of(Role::Admin)),
    door("/do/admin/delete-plan", Form, Of(Role::Admin)),
    door("/do/admin/move-plan", Form, Of(Role::Admin)),
    door("/do/admin/compare-plan", Form, Of(Role::Admin)),
    door("/do/admin/repair-plan", Form, Of(Role::Admin)),
    door("/do/admin/adopt-plan", Form, Of(Role::Admin)),
    door("/do/admin/replay-event", Form, Of(Role::Admin)),
    door("/do/admin/dismiss-event", Form, Of(Role::Admin)),
    door("/do/admin/link-event", Form, Of(Role::Admin)),
    door("/do/admin/change-role", Form, Of(Role::Admin)),
    door("/do/admin/end-sessions-of", Form, Of(Role::Admin)),
    door("/do/admin/set-default-provider", Form, Of(Role::Admin)),
    door("/do/admin/set-rollout", Form, Of(Role::Admin)),
    door("/do/admin/set-payment-path", Form, Of(Role::Admin)),
    door("/do/admin/set-purchase-limit", Form, Of(Role::Admin)),
    door("/do/admin/retry-job", Form, Of(Role::Admin)),
    door("/do/admin/add-note", Form, Of(Role::Support)),
    door("/do/admin/start-viewing", Form, Of(Role::Admin)),
    door("/do/admin/stop-viewing", Form, Of(Role::Admin)).ends_viewing(),
    // Files and streams.
    door(paths::TRANSACTIONS_CSV, File, SignedIn),
    door(paths::ADMIN_ORDERS_CSV, File, Of(Role::Finance)),
    door(paths::ORDER_EVENTS, Stream, SignedIn),
    // JSON.
    door(paths::API_CREDIT_ORDERS, Api, SignedIn),
    door(paths::API_ADMIN_CREDIT_ORDERS, Api, Of(Role::Support)).or_key(Scope::Read),
    door("/api/admin/credit-orders/{id}", Api, Of(Role::Support)).changed_by(Of(Role::Admin)).or_key(Scope::Read),
    door(paths::API_ADMIN_WHOP_PLANS, Api, Of(Role::Admin)).or_key(Scope::Read),
    door("/api/admin/whop-plans/{id}", Api, Of(Role::Admin)).or_key(Scope::Read),
    door(paths::API_DESCRIPTION, Machine, Nobody),
    // Machines.
    door(paths::API_SPEND, Api, Key(Scope::Spend)),
    door(paths::WHOP_WEBHOOK, Webhook, Signature),
    door(embed::CREDITS, Page, Signature),
    door(csp_reports::PATH, Machine, Nobody),
    door("/healthz", Machine, Nobody),
    door("/readyz", Machine, Nobody),
];

/// Everything under these needs at least this, whatever [`DOORS`] says, and whether there is such a route or not.
pub const AREAS: &[(&str, Need)] =
    &[("/admin", Of(Role::Support)), ("/do/admin", Of(Role::Support)), ("/api/admin", Of(Role::Support))];

/// What is asked of whoever comes to this route; none: it is not served. `None` for the route itself is the page for what
/// isn't there.
pub fn of(route: Option<&str>, path: &str) -> Option<Door> {
    let Some(route) = route else { return Some(door("", Page, area(path).unwrap_or(Nobody)).shown()) };
    let known = DOORS.iter().find(|door| door.path == route).copied()?;
    let area = area(path);
    Some(Door { need: stricter(known.need, area), change: stricter(known.change, area), ..known })
}

fn area(path: &str) -> Option<Need> {
    let within = |area: &str| path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    AREAS.iter().find(|(area, _)| within(area)).map(|(_, need)| *need)
}

fn stricter(need: Need, area: Option<Need>) -> Need {
    match (need, area) {
        (Of(role), Some(Of(least))) => Of(role.max(least)),
        (_, Some(least)) => least,
        (need, None) => need,
    }
}
