//! Where the pages are. Links, forms and redirects take their addresses from here.

use crate::{EventId, OrderId, PersonId, PlanId, TransactionId};

pub const HOME: &str = "/";
pub const CREDITS: &str = "/credits";
pub const PAYMENT_STATUS: &str = "/payment/status";
pub const TRANSACTIONS: &str = "/transactions";
pub const TRANSACTIONS_CSV: &str = "/transactions.csv";
pub const ACCOUNT: &str = "/account";
/// Where those begin who look after Atlas. What is theirs alone stands below it.
pub const ADMIN: &str = "/admin";
/// Every order, searched and filtered.
pub const ADMIN_ORDERS: &str = "/admin/orders";
/// What is for sale, was, or will be.
pub const ADMIN_PLANS: &str = "/admin/plans";
pub const ADMIN_PLAN_NEW: &str = "/admin/plans/new";
/// Those that are chosen there, as a file.
pub const ADMIN_ORDERS_CSV: &str = "/admin/orders.csv";
/// Everybody, searched.
pub const ADMIN_PEOPLE: &str = "/admin/people";
/// What the provider told us.
pub const ADMIN_EVENTS: &str = "/admin/events";
/// Who did what.
pub const ADMIN_AUDIT: &str = "/admin/audit";
/// What is switched while everything runs.
pub const ADMIN_SETTINGS: &str = "/admin/settings";
/// Where chosen requests are answered.
pub const ADMIN_ANSWER: &str = "/admin/orders/answer";
/// What banks ask about, and by when.
pub const ADMIN_DISPUTES: &str = "/admin/disputes";
/// What waits for a second admin.
pub const ADMIN_APPROVALS: &str = "/admin/approvals";
/// Leaving for good.
pub const ACCOUNT_DELETE: &str = "/account/delete";
/// Where the form goes that asks for everything kept about oneself.
pub const ACCOUNT_EXPORT: &str = "/account/export";
/// The first steps, while there is no admin.
pub const SET_UP: &str = "/set-up";
pub const SIGN_IN: &str = "/sign-in";
pub const SIGN_UP: &str = "/sign-up";
/// Where the password is asked for again, before something that can do lasting harm.
pub const CONFIRM: &str = "/confirm";
/// Where somebody asks for a link that lets them choose a new password.
pub const FORGOT_PASSWORD: &str = "/forgot-password";
/// Where links in mails lead, with `?token=`.
pub const RESET_PASSWORD: &str = "/reset-password";
pub const CONFIRM_EMAIL: &str = "/confirm-email";
pub const KEEP_EMAIL: &str = "/keep-email";
/// The second step of signing in, where there is a second factor.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
pub const SECOND_FACTOR: &str = "/account/second-factor";
pub const CHANGE_PASSWORD: &str = "/account/password";
pub const CHANGE_EMAIL: &str = "/account/email";
/// Where signing in with Whop begins, and where it leads back to.
pub const WHOP_AUTH: &str = "/api/whop/auth";
pub const WHOP_CALLBACK: &str = "/api/whop/callback";
/// Whether a session that was begun with Whop is still good there.
pub const WHOP_VERIFY: &str = "/api/whop/verify";
pub const WHOP_REFRESH: &str = "/api/whop/refresh";
/// What is shown to whoever comes back with something that is no answer to us.
pub const SIGN_IN_REFUSED: &str = "/sign-in/refused";
pub const WHOP_WEBHOOK: &str = "/api/webhooks/whop";
/// Where applications take credits from a wallet.
pub const API_SPEND: &str = "/api/v1/spend";
/// What programs of ours ask for as a person who is signed in; the second and third also by key, to read.
pub const API_CREDIT_ORDERS: &str = "/api/credit-orders";
pub const API_ADMIN_CREDIT_ORDERS: &str = "/api/admin/credit-orders";
pub const API_ADMIN_WHOP_PLANS: &str = "/api/admin/whop-plans";
/// The description of all of these.
pub const API_DESCRIPTION: &str = "/api/openapi.json";
/// Where the form goes that chooses light or dark.
pub const CHOOSE_THEME: &str = "/do/theme";
pub const ORDER_EVENTS: &str = "/payment/events";

/// The page that shows how an order stands.
pub fn payment_status(order: OrderId) -> String {
    format!("{PAYMENT_STATUS}?order={order}")
}

/// Server-sent events: one each time the order changes.
pub fn order_events(order: OrderId) -> String {
    format!("{ORDER_EVENTS}?order={order}")
}

/// A paid order's receipt.
pub fn receipt(order: OrderId) -> String {
    format!("/receipt/{order}")
}

/// One line of the statement, with its story.
pub fn transaction(id: TransactionId) -> String {
    format!("{TRANSACTIONS}/{id}")
}

/// One order's whole story.
pub fn admin_order(order: OrderId) -> String {
    format!("{ADMIN_ORDERS}/{order}")
}

/// Where a payment of an order is paid back: a preview of that amount, as a decimal; empty: all that is left.
pub fn admin_refund(order: OrderId, payment: &str, amount: &str) -> String {
    with_query(&format!("{ADMIN_ORDERS}/{order}/refund"), &[("payment", payment), ("amount", amount)])
}

pub fn admin_person(person: PersonId) -> String {
    format!("{ADMIN_PEOPLE}/{person}")
}

pub fn admin_plan(plan: PlanId) -> String {
    format!("{ADMIN_PLANS}/{plan}")
}

/// Where one plan can be bought, be it listed or not.
pub fn credits_plan(plan: PlanId) -> String {
    format!("{CREDITS}?plan={plan}")
}

pub fn admin_event(event: EventId) -> String {
    format!("{ADMIN_EVENTS}/{event}")
}

/// The page that answers these requests.
pub fn admin_answer(orders: &[OrderId]) -> String {
    let orders: Vec<String> = orders.iter().map(|order| format!("order={order}")).collect();
    format!("{ADMIN_ANSWER}?{}", orders.join("&"))
}

/// A page that sends the visitor on to `next` (a path of ours) once it is done.
pub fn with_next(page: &str, next: &str) -> String {
    with_query(page, &[("next", next)])
}

/// The page that asks for the password again and leads back to `place` (a path of ours).
pub fn confirm(place: &str) -> String {
    with_query(CONFIRM, &[("return_to", place)])
}

/// A page behind a link in a mail.
pub fn with_token(page: &str, token: &str) -> String {
    with_query(page, &[("token", token)])
}

/// A page with a query. Empty values are left out.
pub fn with_query(page: &str, query: &[(&str, &str)]) -> String {
    let mut address = page.to_owned();
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                address.push(char::from(byte));
            } else {
                address.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
        }
    }
    address
}

/// Whether an address is one of our pages, whatever a browser makes of it: a path, of characters that mean nothing else.
pub fn is_local(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/?=&%.".contains(&byte))
}

fn hex_digit(half: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(half & 15)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_an_address_is_escaped() {
        assert_eq!(
            with_next("/sign-in", "/payment/status?order=1&x=ü"),
            "/sign-in?next=/payment/status%3Forder%3D1%26x%3D%C3%BC"
        );
        assert_eq!(with_query("/admin", &[("a", ""), ("b", "1 2"), ("c", "&")]), "/admin?b=1%202&c=%26");
    }
}
