//! Leaving: who somebody was is forgotten, what they bought and spent stays booked under a person without a name.

use domain::{Credits, OrderId, PersonId};
use sqlx::PgConnection;

use super::fresh::Fresh;
use super::{Role, SignedIn, devices, grants, sessions};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::orders::channel;
use crate::{Context, Error, Refusal, Result, notes};

/// Money that comes later than this after somebody left is found by the daily comparison only.
const LOOKED_FOR_DAYS: i32 = 180;

/// What somebody is told before they leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// They will be gone, now or when what holds them ends.
    pub credits: Credits,
    /// Orders for which no money is on its way: they end.
    pub orders_ending: i64,
    /// Orders for which money may still come: they are booked when it does.
    pub orders_staying: i64,
}

/// What leaving would mean now.
pub async fn farewell(ctx: &Context, person: &SignedIn) -> Result<Farewell> {
    let row = sqlx::query!(
        r#"select count(*) filter (where state in ('created', 'opened', 'failed', 'requested')) as "ending!",
            count(*) filter (where state in ('processing', 'under_review')) as "staying!"
        from credit_orders where buyer_id = $1"#,
        person.id() as PersonId,
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok(Farewell { credits: person.balance().posted, orders_ending: row.ending, orders_staying: row.staying })
}

/// Forgets the person. `credits` is what they were told that they lose; if it is another number by now, they are told anew.
/// Every session of theirs ends.
///
/// Errors: [`Refusal::StaffStays`]; [`Refusal::CreditsHaveMoved`].
pub async fn erase(ctx: &Context, fresh: &Fresh, credits: Credits, origin: &Origin) -> Result<()> {
    let id = fresh.person().id();
    if fresh.person().role() != Role::Buyer {
        return Err(Refusal::StaffStays.into());
    }
    let mut tx = ctx.db.begin().await?;
    // Orders before the wallet, as everybody locks them who settles one.
    let ended = end_orders(ctx, &mut tx, id).await?;
    let expired = close_wallet(&mut tx, id, credits).await?;
    grants::end_of_person(&mut tx, ctx.now(), id).await?;
    let sessions_ended = sessions::end_all(&mut *tx, id).await?;
    devices::forget_all(&mut *tx, id).await?;
    anonymise(&mut tx, id).await?;
    forget_what_belongs_to(&mut tx, id).await?;
    notes::forget(&mut tx, id).await?;
    let by = By { who: Who::Person(id), origin };
    let change = Change::none()
        .noted("credits_expired", expired.get())
        .noted("orders_ended", ended.len())
        .noted("sessions_ended", sessions_ended);
    audit::record(&mut tx, &by.did(What::AccountDeleted, About::Person(id)).with(change)).await?;
    tx.commit().await?;
    channel::tell(ctx, &ended);
    Ok(())
}

/// Those for which no money is on its way. What people wrote into any of them goes too.
async fn end_orders(ctx: &Context, tx: &mut PgConnection, person: PersonId) -> Result<Vec<OrderId>> {
    sqlx::query!("update credit_orders set note = null where buyer_id = $1 and note is not null", person as PersonId)
        .execute(&mut *tx)
        .await?;
    Ok(sqlx::query_scalar!(
        r#"update credit_orders
        set state = case state when 'requested' then 'rejected' else 'expired' end,
            answer_reason = case state when 'requested' then 'The account was deleted.' end,
            failure = null, failure_message = null, changed_at = $2
        where id in (
            select id from credit_orders
            where buyer_id = $1 and state in ('created', 'opened', 'failed', 'requested') order by id for no key update)
        returning id as "id: OrderId""#,
        person as PersonId,
        ctx.now(),
    )
    .fetch_all(tx)
    .await?)
}

/// Says how many credits expired; what is held expires with its hold.
async fn close_wallet(tx: &mut PgConnection, person: PersonId, told: Credits) -> Result<Credits> {
    let expired = sqlx::query_scalar!(r#"select credits_close_wallet($1) as "expired!: Credits""#, person as PersonId)
        .fetch_one(&mut *tx)
        .await?;
    let left = sqlx::query_scalar!(
        r#"select posted as "posted: Credits" from credit_accounts where owner_id = $1 and kind = 'wallet'"#,
        person as PersonId,
    )
    .fetch_one(tx)
    .await?;
    if expired.get() + left.get() == told.get() { Ok(expired) } else { Err(Refusal::CreditsHaveMoved.into()) }
}

/// Who it was. Without a password and an address nobody signs in. Whoever was given a role meanwhile stays.
async fn anonymise(tx: &mut PgConnection, person: PersonId) -> Result<()> {
    let gone = sqlx::query!(
        "update user_profiles
        set email = null, claimed_email = null, name = '', password_hash = '', payment_path = null, daily_credits_max = null,
            deleted_at = clock_timestamp()
        where id = $1 and deleted_at is null and role = 'buyer'",
        person as PersonId,
    )
    .execute(tx)
    .await?;
    if gone.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// What stands elsewhere of them: ways in, their second factor, links and addresses of mails, the memberships that they
/// showed, what was written about them before the move. Mails that wait are moot without an address.
async fn forget_what_belongs_to(tx: &mut PgConnection, person: PersonId) -> Result<()> {
    sqlx::query!(
        "with identities as (delete from identities where person_id = $1),
            attempts as (delete from oauth_attempts where person_id = $1),
            factors as (delete from second_factors where person_id = $1),
            links as (delete from mail_links where person_id = $1),
            asks as (delete from membership_asks where person_id = $1),
            licences as (update memberships set person_id = null where person_id = $1),
            history as (update legacy_transactions set description = '' where person_id = $1 and description <> '')
        update mails set address = null where person_id = $1 and address is not null",
        person as PersonId,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes down which orders were paid by people who had left: their credits are in a wallet that nobody can open, so somebody
/// has to refund them. Each is written down once; how many there were.
pub async fn note_late_payments(ctx: &Context) -> Result<usize> {
    let late = sqlx::query_scalar!(
        r#"select distinct o.id as "id: OrderId"
        from user_profiles person
        join credit_orders o on o.buyer_id = person.id
        join payments p on p.order_id = o.id
        where person.deleted_at > $1::timestamptz - make_interval(days => $2)
            and p.granted_by is not null and (p.taken_credits < o.credits or p.taken_bonus < o.bonus_credits)
            and exists (select from credit_transactions t where t.id = p.granted_by and t.created_at >= person.deleted_at)
            and not exists (
                select from audit_entries entry
                where entry.about = 'order' and entry.about_id = o.id::text and entry.deed = 'late_payment')
        order by 1 limit 100"#,
        ctx.now(),
        LOOKED_FOR_DAYS,
    )
    .fetch_all(&ctx.db)
    .await?;
    for order in &late {
        tracing::error!(order.id = %order, "an order was paid after its buyer had left; refund it");
        let by = By { who: Who::System("late payments"), origin: &Origin::NONE };
        let mut db = ctx.db.acquire().await?;
        audit::record(&mut db, &by.did(What::LatePayment, About::Order(*order))).await?;
    }
    Ok(late.len())
}
