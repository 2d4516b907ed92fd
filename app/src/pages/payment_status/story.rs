//! What each state of an order says to its buyer. Pure.

use atlas::orders::page::{OrderPage, Reversal};
use domain::{FailureReason, OrderState, Provider};

use crate::words;

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Done,
    Now,
    Failed,
    Todo,
}

impl Progress {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Failed => "failed",
            Self::Todo => "todo",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    pub note: &'static str,
    pub progress: Progress,
}

/// The one thing to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Receipt,
    Pay,
    TryAgain,
    BuyAgain,
    Wait,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub title: &'static str,
    pub sentence: String,
    pub detail: Option<String>,
    pub steps: [Step; 3],
    pub action: Action,
}

const fn step(name: &'static str, note: &'static str, progress: Progress) -> Step {
    Step { name, note, progress }
}

/// `came_back`: the browser returned from a checkout that went well, so the buyer believes to have paid.
pub fn tell(order: &OrderPage, came_back: bool) -> Story {
    use Progress::{Done, Failed, Now, Todo};
    let provider = order.provider.title();
    let first = if order.provider == Provider::Manual { "Request" } else { "Checkout" };
    let second = if order.provider == Provider::Manual { "Approval" } else { "Payment" };
    let story = |title, sentence: String, action, [a, b, c]: [(&'static str, Progress); 3]| Story {
        title,
        sentence,
        detail: None,
        steps: [step(first, a.0, a.1), step(second, b.0, b.1), step("Credits", c.0, c.1)],
        action,
    };
    match order.state {
        OrderState::Created => story(
            "Opening the checkout",
            format!("{provider} is preparing the checkout. Nothing was charged."),
            Action::Wait,
            [("Opening", Now), ("Not yet", Todo), ("Not yet", Todo)],
        ),
        // The last we know is that it failed, but the buyer comes from a checkout that says otherwise.
        OrderState::Opened | OrderState::Failed | OrderState::Expired if came_back => story(
            "Confirming your payment",
            format!("Waiting for {provider} to confirm. You can close this page; credits arrive on their own."),
            Action::Wait,
            [("Done", Done), ("Being confirmed", Now), ("On their way", Todo)],
        ),
        OrderState::Opened => story(
            "Waiting for your payment",
            format!("Your checkout at {provider} is open. Nothing was charged yet."),
            Action::Pay,
            [("Open", Now), ("Not yet", Todo), ("Not yet", Todo)],
        ),
        OrderState::Processing => story(
            "Your payment is being processed",
            format!(
                "{provider} is collecting the money. A bank payment can take some days. You can close this page; credits arrive on their own."
            ),
            Action::Wait,
            [("Done", Done), ("Processing", Now), ("On their way", Todo)],
        ),
        OrderState::Paid if order.reversal.is_some_and(Reversal::is_questioned) => story(
            "Paid, and questioned",
            "A refund or a dispute of this payment is under way. Until it is decided, its unspent credits are held; they are yours again if it comes to nothing.".to_owned(),
            Action::Receipt,
            [("Done", Done), ("Questioned", Now), ("Held", Now)],
        ),
        OrderState::Paid if order.reversal.is_some_and(Reversal::took) => story(
            "Paid, then taken back",
            "The payment was given back, or lost in a dispute, and the credits that it paid for went with it.".to_owned(),
            Action::Receipt,
            [("Done", Done), ("Taken back", Done), ("Taken back", Done)],
        ),
        OrderState::Paid => story(
            "Paid. Your credits are here",
            "The payment went through, and the credits are in your wallet.".to_owned(),
            Action::Receipt,
            [("Done", Done), ("Paid", Done), ("Added", Done)],
        ),
        OrderState::Failed => failed(order, story),
        OrderState::Expired => story(
            "This order has expired",
            "It was not paid in time, and nothing was charged. Should a payment still arrive, it counts.".to_owned(),
            Action::BuyAgain,
            [("Expired", Failed), ("Not paid", Todo), ("None", Todo)],
        ),
        OrderState::UnderReview => story(
            "We are looking at your payment",
            "A payment arrived that doesn’t match this order. A person checks it, and either adds your credits or sees to it that you get your money back. There is nothing you have to do.".to_owned(),
            Action::Wait,
            [("Done", Done), ("Under review", Now), ("Waiting", Todo)],
        ),
        OrderState::Requested => story(
            "Your request is with us",
            "A person looks at it and answers. Nothing was charged.".to_owned(),
            Action::Wait,
            [("Sent", Done), ("Waiting", Now), ("Not yet", Todo)],
        ),
        OrderState::Approved => story(
            "Approved. Your credits are here",
            "Your request was approved, and the credits are in your wallet.".to_owned(),
            Action::Receipt,
            [("Sent", Done), ("Approved", Done), ("Added", Done)],
        ),
        OrderState::Rejected => story(
            "Your request was declined",
            match &order.answer_reason {
                Some(reason) => format!("{reason} Nothing was charged. You can choose another plan at any time."),
                None => "Nothing was charged. You can choose another plan at any time.".to_owned(),
            },
            Action::BuyAgain,
            [("Sent", Done), ("Declined", Failed), ("None", Todo)],
        ),
    }
}

fn failed(
    order: &OrderPage,
    story: impl Fn(&'static str, String, Action, [(&'static str, Progress); 3]) -> Story,
) -> Story {
    use Progress::{Done, Failed, Todo};
    let reason = order.failure.unwrap_or(FailureReason::Declined);
    if reason == FailureReason::CheckoutUnavailable {
        return story(
            "The checkout could not be opened",
            "Nothing was charged. Please try again in a minute.".to_owned(),
            Action::BuyAgain,
            [("Failed", Failed), ("Not paid", Todo), ("None", Todo)],
        );
    }
    let told = story(
        "The payment did not go through",
        format!("{} No money moved. You can try again, with the same card or another one.", words::failure(reason)),
        Action::TryAgain,
        [("Done", Done), ("Not paid", Failed), ("Not yet", Todo)],
    );
    let detail = order.failure_message.as_ref().map(|message| format!("{} says: {message}", order.provider.title()));
    Story { detail, ..told }
}
