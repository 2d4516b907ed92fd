//! The order of the plans on the page.

use domain::PlanId;

use crate::audit::{self, About, Change, Origin, What};
use crate::people::roles::Admin;
use crate::{Context, Error, Result};

/// Towards which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// Moves a plan by one place among those that are not retired. At the end of the line nothing happens.
///
/// Errors: [`Error::NotFound`].
pub async fn shift(ctx: &Context, admin: &Admin, origin: &Origin, plan: PlanId, way: Way) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    // By id, so that two who arrange at the same time wait for each other in one direction.
    let mut line: Vec<(i32, String, PlanId)> = sqlx::query!(
        r#"select position, slug, id as "id: PlanId" from plans
        where retired_at is null and deleted_at is null order by id for update"#,
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(|row| (row.position, row.slug, row.id))
    .collect();
    line.sort();
    let from = line.iter().position(|(.., id)| *id == plan).ok_or(Error::NotFound)?;
    let to = match way {
        Way::Up => from.checked_sub(1),
        Way::Down => Some(from + 1).filter(|to| *to < line.len()),
    };
    let Some(to) = to else { return Ok(()) };
    line.swap(from, to);
    let ids: Vec<PlanId> = line.into_iter().map(|(.., id)| id).collect();
    sqlx::query!(
        "update plans set position = line.place - 1
        from unnest($1::uuid[]) with ordinality as line (id, place) where plans.id = line.id",
        &ids as &[PlanId],
    )
    .execute(&mut *tx)
    .await?;
    let (by, about) = (admin.by(origin), plan.to_string());
    let deed = by.did(What::PlanMoved, About::Thing { kind: "plan", id: &about });
    let place = |place: usize| serde_json::Value::from(place + 1);
    audit::record(&mut tx, &deed.with(Change::none().from_to("place", place(from), place(to)))).await?;
    Ok(tx.commit().await?)
}
