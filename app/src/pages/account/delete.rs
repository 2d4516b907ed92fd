//! Leaving for good: what will be gone, what stays, and the form that does it.

use atlas::Result;
use atlas::people::erase::{Farewell, farewell};
use atlas::people::fresh::Fresh;
use domain::{Role, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::leave::DeleteAccount;
use crate::flash;
use crate::pages::for_fresh;
use crate::parts::notice::FlashNotice;
use crate::request::Request;

#[component]
pub fn Delete() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_fresh(paths::ACCOUNT_DELETE, draw))}</Suspense> }
}

async fn draw(request: Request, fresh: Fresh) -> Result<AnyView> {
    let person = fresh.person();
    let farewell = farewell(request.ctx(), person).await?;
    let flash = flash::take(&request).await?;
    let may_leave = person.role() == Role::Buyer;
    Ok(view! {
        <Title text="Delete your account · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Delete your account"</h1></div>
            <FlashNotice flash />
            <section class="stack" aria-labelledby="gone-title">
                <h2 id="gone-title">"What happens"</h2>
                <ul class="list">
                    <li>{credits(farewell)}</li>
                    {orders(farewell)}
                    <li>"Your email, name, password, sessions and notes are removed. Nobody can sign in to this account again, you neither."</li>
                    <li>"Orders, payments and movements of credits stay in the books, under nobody’s name: the law asks for that."</li>
                    <li>"Whop keeps its own record of what you paid there, and has no way for us to remove it. Ask Whop to delete yours."</li>
                </ul>
            </section>
            <section class="stack" aria-labelledby="decide-title">
                <h2 id="decide-title">"Your decision"</h2>
                <p><a class="button" href=paths::ACCOUNT>"Keep the account"</a></p>
                {if may_leave {
                    view! { <LeaveForm farewell /> }.into_any()
                } else {
                    view! {
                        <div class="notice" data-tone="wait">
                            <p>"Accounts that look after Atlas can’t be deleted here. Ask another admin to make yours a buyer’s first."</p>
                        </div>
                    }
                    .into_any()
                }}
            </section>
        </main>
    }
    .into_any())
}

#[component]
fn LeaveForm(farewell: Farewell) -> impl IntoView {
    view! {
        <form class="form" method="post" action=DeleteAccount::PATH>
            <input r#type="hidden" name="credits" value=farewell.credits.get().to_string() />
            <div class="form-foot"><button class="button button--danger" r#type="submit">{verb(farewell)}</button></div>
        </form>
    }
}

fn credits(farewell: Farewell) -> String {
    match farewell.credits.get() {
        0 => "You have no credits to lose.".to_owned(),
        1 => "You will lose 1 credit. It can’t be brought back.".to_owned(),
        _ => format!("You will lose {} credits. They can’t be brought back.", farewell.credits),
    }
}

fn verb(farewell: Farewell) -> String {
    match farewell.credits.get() {
        0 => "Delete account".to_owned(),
        1 => "Delete account and lose 1 credit".to_owned(),
        _ => format!("Delete account and lose {} credits", farewell.credits),
    }
}

fn orders(farewell: Farewell) -> impl IntoView {
    let count = |number: i64| if number == 1 { "1 order".to_owned() } else { format!("{number} orders") };
    let ending = (farewell.orders_ending > 0)
        .then(|| view! { <li>{format!("{} that nobody paid will be canceled.", count(farewell.orders_ending))}</li> });
    let staying = (farewell.orders_staying > 0).then(|| {
        view! {
            <li>{format!(
                "For {} money is on its way. If it arrives we refund it; wait until it is there if you want the credits.",
                count(farewell.orders_staying)
            )}</li>
        }
    });
    (ending, staying)
}
