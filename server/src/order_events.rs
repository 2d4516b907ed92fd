//! The event stream of one order: a message with the order's version at first and after each change. While somebody
//! listens and something is still expected, the provider is asked as well, so that a lost webhook costs seconds.

use std::convert::Infallible;
use std::time::Duration;

use atlas::orders::channel::{CHANNEL, told};
use atlas::orders::page::version;
use atlas::orders::settle::ask::ask;
use atlas::{Context, Result};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::paths::ORDER_EVENTS;
use domain::{OrderId, PersonId};
use futures::Stream;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tower_sessions::Session;

use crate::session::PERSON;

/// A page that is left open longer asks anew; a stream must not live for ever.
const STREAM_FOR: Duration = Duration::from_mins(2);
/// Between two questions to the provider, growing.
const ASK_FIRST: Duration = Duration::from_secs(3);
const ASK_LAST: Duration = Duration::from_secs(10);
/// Listeners that fall further behind look at their order once instead.
const BACKLOG: usize = 1_024;
const RELISTEN_AFTER: Duration = Duration::from_secs(1);

/// News of orders, from every process on the same database.
#[derive(Clone)]
pub struct Hub(broadcast::Sender<News>);

#[derive(Clone, Copy)]
enum News {
    Changed(OrderId),
    /// The connection was lost for a while: any order may have changed.
    LookAgain,
}

impl Hub {
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Listens to the database for as long as the process runs, through outages.
    pub async fn listen(self, db: PgPool) {
        loop {
            if let Err(error) = self.listen_once(&db).await {
                tracing::warn!(%error, "the database's notifications are interrupted");
            }
            tokio::time::sleep(RELISTEN_AFTER).await;
        }
    }

    async fn listen_once(&self, db: &PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(db).await?;
        listener.listen(CHANNEL).await?;
        let _ = self.0.send(News::LookAgain);
        loop {
            // Nobody listening is fine.
            match listener.try_recv().await? {
                Some(message) => told(message.payload()).for_each(|order| drop(self.0.send(News::Changed(order)))),
                None => drop(self.0.send(News::LookAgain)),
            }
        }
    }
}

#[derive(Clone)]
struct Streams {
    ctx: Context,
    hub: Hub,
}

pub fn routes(ctx: Context, hub: Hub) -> Router {
    Router::new().route(ORDER_EVENTS, get(stream)).with_state(Streams { ctx, hub })
}

#[derive(Deserialize)]
struct Asked {
    order: String,
}

async fn stream(State(streams): State<Streams>, session: Session, Query(asked): Query<Asked>) -> Response {
    let person = match session.get::<PersonId>(PERSON).await {
        Ok(person) => person,
        Err(error) => {
            tracing::error!(%error, "a session could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    // A foreign order is as unknown as one that isn't there.
    let (Some(person), Ok(order)) = (person, asked.order.parse::<OrderId>()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Listen first and look then, so that no change falls between.
    let news = streams.hub.0.subscribe();
    match version(&streams.ctx.db, person, order).await {
        Ok(_) => {}
        Err(atlas::Error::NotFound) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = ?error, "an order could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    let watch = Watch {
        ctx: streams.ctx,
        person,
        order,
        news,
        last: None,
        ask_in: ASK_FIRST,
        until: Instant::now() + STREAM_FOR,
    };
    Sse::new(watch.messages()).keep_alive(KeepAlive::default()).into_response()
}

struct Watch {
    ctx: Context,
    person: PersonId,
    order: OrderId,
    news: broadcast::Receiver<News>,
    /// The version that was sent last.
    last: Option<String>,
    ask_in: Duration,
    until: Instant,
}

impl Watch {
    fn messages(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            let (version, open) = watch.next_version().await?;
            let message = Event::default().data(&version);
            watch.last = Some(version);
            // The last message of a closed order ends the stream.
            Some((Ok(message), open.then_some(watch)))
        })
    }

    /// Waits for a version that was not sent yet, and says whether more is expected. None: time is up, or the order
    /// can't be read; the page goes on by itself.
    async fn next_version(&mut self) -> Option<(String, bool)> {
        loop {
            let (version, state) = version(&self.ctx.db, self.person, self.order).await.ok()?;
            if self.last.as_ref() != Some(&version) {
                return Some((version, state.may_still_be_paid()));
            }
            self.wait_for_news().await?;
        }
    }

    async fn wait_for_news(&mut self) -> Option<()> {
        let ask_at = Instant::now() + self.ask_in;
        loop {
            tokio::select! {
                news = self.news.recv() => match news {
                    Ok(News::Changed(order)) if order != self.order => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return Some(()),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = tokio::time::sleep_until(ask_at) => {
                    self.ask_in = (self.ask_in * 2).min(ASK_LAST);
                    if let Err(error) = ask(&self.ctx, self.order, None).await {
                        tracing::warn!(order.id = %self.order, error = ?error, "the provider could not be asked");
                    }
                    return Some(());
                }
                () = tokio::time::sleep_until(self.until) => return None,
            }
        }
    }
}
