//! What is switched while everything runs. It holds for every process within a second.

pub mod routing;

use atlas::Result;
use atlas::people::desk::count_set_apart;
use atlas::people::roles::{Admin, Support};
use atlas::settings::history::{self, Changed};
use atlas::settings::{self, Stopped};
use domain::{Provider, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use self::routing::Routing;
use super::for_admin;
use crate::actions::admin::payments::{STOP_FORM, StartPayments, StopPayments};
use crate::flash::{self, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::request::Request;
use crate::words::Tone;

#[component]
pub fn Settings() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_admin(draw))}</Suspense> }
}

async fn draw(request: Request, admin: Admin) -> Result<AnyView> {
    let ctx = request.ctx();
    let switches = settings::read(&ctx.db).await?;
    let apart = count_set_apart(&ctx.db, &Support::prove(admin.person().clone())?).await?;
    let changes = history::last(&ctx.db, &admin).await?;
    let whop_is_set_up = ctx.providers.get(Provider::Whop).is_some();
    let rules = switches.rules(&ctx.providers);
    let flash = flash::take(&request).await?;
    let stop_form = form_of(flash.as_ref(), STOP_FORM);
    Ok(view! {
        <Title text="Settings · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head"><h1>"Settings"</h1></div>
            <FlashNotice flash=flash.clone() />
            <section class="stack" aria-labelledby="payments-title">
                <h2 id="payments-title">"Payments"</h2>
                {match switches.stopped {
                    Some(stopped) => view! { <Stands stopped /> }.into_any(),
                    None => view! { <Runs form=stop_form /> }.into_any(),
                }}
                <p class="muted">
                    <a href=paths::with_query(paths::ADMIN_AUDIT, &[("deed", "payments_stopped")])>"When they were stopped, and by whom"</a>
                </p>
            </section>
            <Routing rules whop_is_set_up apart flash />
            <History changes />
        </main>
    }
    .into_any())
}

#[component]
fn Stands(stopped: Stopped) -> impl IntoView {
    view! {
        <p><Badge words="Stopped" tone=Tone::Bad />" since "<Moment at=stopped.since />". Buyers read:"</p>
        <blockquote class="notice" data-tone="wait"><bdi>{stopped.message}</bdi></blockquote>
        <p>"Webhooks, refunds and spending go on, so what was paid already still arrives."</p>
        <form method="post" action=StartPayments::PATH>
            <button class="button button--primary" r#type="submit">"Let payments go on"</button>
        </form>
    }
}

#[component]
fn Runs(form: Form) -> impl IntoView {
    view! {
        <p><Badge words="On" tone=Tone::Good />" Checkouts are opened for whoever wants to buy."</p>
        <ErrorSummary form=form.clone() />
        <form class="form" method="post" action=StopPayments::PATH>
            <TextField form name="message" label="What buyers read meanwhile" autocomplete="off"
                help="Say what happens and when it is over. Nothing that is paid, refunded or disputed stops." />
            <div class="form-foot"><button class="button button--danger" r#type="submit">"Stop payments"</button></div>
        </form>
    }
}

#[component]
fn History(changes: Vec<Changed>) -> impl IntoView {
    const COLUMNS: &[Column] =
        &[Column::Text("Change"), Column::Text("By"), Column::Text("What and why"), Column::Text("When")];
    let records = changes.into_iter().map(|changed| {
        let what = Some(changed.change.to_string()).filter(|change| change != "{}");
        Record::from(vec![
            changed.deed.replace('_', " ").into_any(),
            view! { <bdi>{changed.who.unwrap_or_else(|| "an operator".to_owned())}</bdi> }.into_any(),
            view! {
                {changed.why.map(|why| view! { <p><bdi>{why}</bdi></p> })}
                {what.map(|what| view! { <code class="change">{what}</code> })}
            }
            .into_any(),
            view! { <Moment at=changed.at /> }.into_any(),
        ])
    });
    view! {
        <Records id="history-title" title="The last changes" columns=COLUMNS records=records.collect()
            none="Nothing was changed yet." />
    }
}
