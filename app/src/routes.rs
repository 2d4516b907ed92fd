//! Which address shows which page. Every one is rendered whole, with its status, before a byte is sent.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, SsrMode, StaticSegment};

use crate::layout::Layout;
use crate::pages;

#[expect(clippy::too_many_lines, reason = "one entry for each page, and nothing else")]
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let whole = SsrMode::Async;
    view! {
        <Router>
            <Layout>
                <Routes fallback=pages::not_found::NotFound>
                    <Route path=StaticSegment("") view=pages::home::Home ssr=whole.clone() />
                    <Route path=StaticSegment("sign-in") view=pages::sign_in::SignIn ssr=whole.clone() />
                    <Route
                        path=(StaticSegment("sign-in"), StaticSegment("refused"))
                        view=pages::sign_in_refused::SignInRefused
                        ssr=whole.clone()
                    />
                    <Route path=StaticSegment("sign-up") view=pages::sign_up::SignUp ssr=whole.clone() />
                    <Route
                        path=StaticSegment("forgot-password")
                        view=pages::forgot_password::ForgotPassword
                        ssr=whole.clone()
                    />
                    <Route
                        path=StaticSegment("reset-password")
                        view=pages::linked::ResetPasswordPage
                        ssr=whole.clone()
                    />
                    <Route path=StaticSegment("confirm-email") view=pages::linked::ConfirmEmailPage ssr=whole.clone() />
                    <Route path=StaticSegment("keep-email") view=pages::linked::KeepEmailPage ssr=whole.clone() />
                    <Route
                        path=(StaticSegment("sign-in"), StaticSegment("code"))
                        view=pages::sign_in_code::SignInCode
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("account"), StaticSegment("second-factor"))
                        view=pages::account::second_factor::SecondFactorPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("account"), StaticSegment("password"))
                        view=pages::account::password::PasswordPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("account"), StaticSegment("email"))
                        view=pages::account::email::EmailPage
                        ssr=whole.clone()
                    />
                    <Route path=StaticSegment("set-up") view=pages::set_up::SetUp ssr=whole.clone() />
                    <Route path=StaticSegment("confirm") view=pages::confirm::Confirm ssr=whole.clone() />
                    <Route path=StaticSegment("credits") view=pages::credits::CreditsPage ssr=whole.clone() />
                    <Route
                        path=(StaticSegment("payment"), StaticSegment("status"))
                        view=pages::payment_status::PaymentStatus
                        ssr=whole.clone()
                    />
                    <Route path=StaticSegment("transactions") view=pages::transactions::Transactions ssr=whole.clone() />
                    <Route
                        path=(StaticSegment("transactions"), ParamSegment("id"))
                        view=pages::transaction::TransactionPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("receipt"), ParamSegment("id"))
                        view=pages::receipt::ReceiptPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("account"), StaticSegment("delete"))
                        view=pages::account::delete::Delete
                        ssr=whole.clone()
                    />
                    <Route path=StaticSegment("account") view=pages::account::Account ssr=whole.clone() />
                    <Route path=StaticSegment("admin") view=pages::admin::overview::OverviewPage ssr=whole.clone() />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("orders"))
                        view=pages::admin::orders::Orders
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("orders"), StaticSegment("answer"))
                        view=pages::admin::answer::AnswerRequests
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("orders"), ParamSegment("id"))
                        view=pages::admin::order::OrderPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("plans"))
                        view=pages::admin::plans::Plans
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("plans"), StaticSegment("new"))
                        view=pages::admin::plan_new::NewPlan
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("plans"), ParamSegment("id"))
                        view=pages::admin::plan::PlanPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("orders"), ParamSegment("id"), StaticSegment("refund"))
                        view=pages::admin::refund::RefundPayment
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("disputes"))
                        view=pages::admin::disputes::Disputes
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("approvals"))
                        view=pages::admin::approvals::Approvals
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("people"))
                        view=pages::admin::people::People
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("people"), ParamSegment("id"))
                        view=pages::admin::person::PersonPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("events"))
                        view=pages::admin::events::Events
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("events"), ParamSegment("id"))
                        view=pages::admin::event::EventPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("audit"))
                        view=pages::admin::audit::Audit
                        ssr=whole.clone()
                    />
                    <Route
                        path=(StaticSegment("admin"), StaticSegment("settings"))
                        view=pages::admin::settings::Settings
                        ssr=whole
                    />
                </Routes>
            </Layout>
        </Router>
    }
}
