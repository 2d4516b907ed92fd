//! One import from its first row to its last: begun, staged, and gone on with where it was killed.

use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::columns::{Layout, Table};
use super::fields::Values;
use super::rows;
use crate::{Context, Error, Result, ids};

/// Lines are sent to the database when there are this many bytes of them.
const SENT_BYTES: usize = 1 << 20;

/// An import that has the database to itself, as far as imports go.
pub struct Run {
    pub(super) id: Uuid,
    pub(super) now: OffsetDateTime,
    /// All was read already, by an import that was killed later.
    is_staged: bool,
    read: [i64; 3],
    lines: String,
    lines_of: Table,
    /// Holds the lock that lets only one import run.
    lock: PoolConnection<Postgres>,
}

/// How many rows were read of each table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    pub people: i64,
    pub orders: i64,
    pub transactions: i64,
}

impl Run {
    /// Begins, or takes up what was read of the same source before. Without a hash it is read anew.
    /// None: another import is running.
    pub async fn begin(ctx: &Context, source_hash: Option<[u8; 32]>) -> Result<Option<Self>> {
        let mut lock = ctx.db.acquire().await?;
        let is_ours =
            sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended('legacy_import', 0)) as "is_ours!""#);
        if !is_ours.fetch_one(&mut *lock).await? {
            return Ok(None);
        }
        let mut run = Self {
            id: ids::fresh(),
            now: ctx.now(),
            is_staged: false,
            read: [0; 3],
            lines: String::new(),
            lines_of: Table::People,
            lock,
        };
        match source_hash {
            Some(hash) if run.take_up(ctx, hash).await? => {}
            hash => run.begin_anew(ctx, hash).await?,
        }
        Ok(Some(run))
    }

    /// What an earlier run of the same source has read, if all of it is still there: a crash of the database empties it.
    async fn take_up(&mut self, ctx: &Context, hash: [u8; 32]) -> Result<bool> {
        let mut tx = long(ctx).await?;
        let earlier = sqlx::query!(
            r#"select id, people_read, orders_read, transactions_read,
                (select count(*) from legacy_staged_people) = people_read
                and (select count(*) from legacy_staged_orders) = orders_read
                and (select count(*) from legacy_staged_transactions) = transactions_read as "is_whole!"
            from legacy_runs
            where source_hash = $1 and staged_at is not null and finished_at is null
                and id = (select id from legacy_runs order by started_at desc, id desc limit 1)"#,
            &hash[..],
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some(earlier) = earlier.filter(|earlier| earlier.is_whole) else { return Ok(false) };
        self.id = earlier.id;
        self.is_staged = true;
        self.read = [earlier.people_read, earlier.orders_read, earlier.transactions_read];
        Ok(true)
    }

    async fn begin_anew(&mut self, ctx: &Context, hash: Option<[u8; 32]>) -> Result<()> {
        let mut tx = long(ctx).await?;
        empty(&mut tx).await?;
        sqlx::query!(
            "insert into legacy_runs (id, source_hash, started_at) values ($1, $2, $3)",
            self.id,
            hash.as_ref().map(<[u8; 32]>::as_slice),
            self.now,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether all was read already, so that the source need not be read again.
    pub const fn is_staged(&self) -> bool {
        self.is_staged
    }

    pub const fn read(&self) -> Read {
        let [people, orders, transactions] = self.read;
        Read { people, orders, transactions }
    }

    /// Takes one row of the source.
    pub async fn stage(&mut self, ctx: &Context, layout: &Layout, values: &Values) -> Result<()> {
        if layout.table != self.lines_of || self.lines.len() >= SENT_BYTES {
            self.send(ctx).await?;
            self.lines_of = layout.table;
        }
        let read = &mut self.read[layout.table as usize];
        *read += 1;
        rows::read(layout, *read, values, self.now, &mut self.lines);
        Ok(())
    }

    async fn send(&mut self, ctx: &Context) -> Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let statement = match self.lines_of {
            Table::People => {
                "copy legacy_staged_people (place, id, own_id, email, name, credits, is_staff, created_at, faults,
                    unreadable) from stdin"
            }
            Table::Orders => {
                "copy legacy_staged_orders (place, id, own_id, user_id, plan, credits, price_minor, currency, state, note,
                    answer, created_at, answered_at, answered_by, faults, unreadable) from stdin"
            }
            Table::Transactions => {
                "copy legacy_staged_transactions (place, id, user_id, amount, kind, description, order_id, balance_after,
                    at, faults, unreadable) from stdin"
            }
        };
        let mut copy = ctx.db.copy_in_raw(statement).await?;
        match copy.send(self.lines.as_bytes()).await {
            Ok(_) => copy.finish().await?,
            Err(error) => {
                copy.abort("not sent").await?;
                return Err(error.into());
            }
        };
        self.lines.clear();
        Ok(())
    }

    /// All was read.
    pub async fn staged(&mut self, ctx: &Context) -> Result<()> {
        self.send(ctx).await?;
        self.is_staged = true;
        let [people, orders, transactions] = self.read;
        sqlx::query!(
            "update legacy_runs set staged_at = $2, people_read = $3, orders_read = $4, transactions_read = $5 where id = $1",
            self.id,
            ctx.now(),
            people,
            orders,
            transactions,
        )
        .execute(&ctx.db)
        .await?;
        Ok(())
    }

    /// Forgets what was read, after a look at it that is to change nothing. What a killed import still needs stays.
    pub async fn drop_unless_begun(self, ctx: &Context) -> Result<()> {
        let mut tx = long(ctx).await?;
        let dropped = sqlx::query!("delete from legacy_runs where id = $1 and people_upto = 0", self.id);
        if dropped.execute(&mut *tx).await?.rows_affected() == 1 {
            empty(&mut tx).await?;
        }
        tx.commit().await?;
        self.end().await
    }

    /// Lets the next import run.
    pub async fn end(mut self) -> Result<()> {
        let unlocked = sqlx::query_scalar!("select pg_advisory_unlock(hashtextextended('legacy_import', 0))");
        unlocked.fetch_one(&mut *self.lock).await?;
        Ok(())
    }
}

/// A transaction that may take longer than a page may.
pub(super) async fn long(ctx: &Context) -> Result<sqlx::PgTransaction<'static>> {
    let mut tx = ctx.db.begin().await?;
    sqlx::query!("set local statement_timeout = '1h'").execute(&mut *tx).await?;
    sqlx::query!("set local lock_timeout = '30s'").execute(&mut *tx).await?;
    sqlx::query!("set local work_mem = '64MB'").execute(&mut *tx).await?;
    sqlx::query!("set local jit = off").execute(&mut *tx).await?;
    Ok(tx)
}

pub(super) async fn empty(tx: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("truncate legacy_staged_people, legacy_staged_orders, legacy_staged_transactions").execute(tx).await?;
    Ok(())
}
