//! Everything that Atlas keeps about a person, for that person.

use std::fmt::Write as _;

use domain::PersonId;
use serde::Serialize;
use serde_json::Value;

use super::SignedIn;
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::limits::{self, EXPORTS_BY_PERSON};
use crate::{Context, Result, csv};

/// The parts of what is kept, each a list of rows.
#[derive(Debug, Clone, Serialize)]
pub struct Export {
    pub profile: Value,
    pub sessions: Value,
    /// Accounts elsewhere, the second factor, memberships, browsers: whatever lets them in.
    pub ways_in: Value,
    pub orders: Value,
    /// What those who look after Atlas wrote down about the person and their orders.
    pub notes: Value,
    pub payments: Value,
    pub refunds: Value,
    pub statement: Value,
    /// What happened in the system before this one.
    pub before_the_move: Value,
    pub mails: Value,
    /// What the person did and what was done about them.
    pub audit: Value,
}

/// One of the two forms that an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Csv,
}

impl Form {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

/// Gathers it, and writes down that it was.
///
/// Errors: [`crate::Refusal::TooManyTries`] after five in an hour.
pub async fn export(ctx: &Context, person: &SignedIn, form: Form, origin: &Origin) -> Result<Export> {
    let id = person.id();
    limits::take(ctx, &EXPORTS_BY_PERSON, &id.to_string()).await?;
    let mut tx = ctx.db.begin().await?;
    let gathered = sqlx::query_as!(
        Export,
        r#"select
            (select jsonb_agg(jsonb_build_object('id', id, 'email', email, 'claimed_email', claimed_email, 'name', name, 'role', role, 'since', created_at,
                'payment_path', payment_path, 'daily_credits_max', daily_credits_max))
                from user_profiles where id = $1) as "profile!",
            (select coalesce(jsonb_agg(jsonb_build_object('browser', data->>'agent', 'began', created_at, 'last_used', seen_at)
                order by created_at), '[]') from sessions where person_id = $1) as "sessions!",
            (select coalesce(jsonb_agg(way order by way->>'since', way->>'kind'), '[]') from (
                select jsonb_build_object('kind', 'account elsewhere', 'since', linked_at, 'issuer', issuer, 'subject', subject,
                    'label', label) as way from identities where person_id = $1
                union all select jsonb_build_object('kind', 'second factor', 'since', on_since)
                    from second_factors where person_id = $1 and on_since is not null
                union all select jsonb_build_object('kind', 'browser', 'since', seen_at) from known_devices where person_id = $1
                union all select jsonb_build_object('kind', 'membership', 'since', said_at, 'id', id, 'status', status)
                    from memberships where person_id = $1
            ) ways) as "ways_in!",
            (select coalesce(jsonb_agg(jsonb_build_object('order', id, 'plan', plan_name, 'credits', credits,
                'bonus_credits', bonus_credits, 'price_minor', price_minor, 'currency', currency, 'provider', provider, 'state', state, 'note', note,
                'made', created_at, 'settled', settled_at) order by created_at, id), '[]')
                from credit_orders where buyer_id = $1) as "orders!",
            (select coalesce(jsonb_agg(jsonb_build_object('order', note.order_id, 'text', note.text, 'at', note.created_at)
                order by note.id), '[]')
                from notes note left join credit_orders o on o.id = note.order_id
                where note.person_id = $1 or o.buyer_id = $1) as "notes!",
            (select coalesce(jsonb_agg(jsonb_build_object('payment', payment_id, 'order', order_id, 'provider', provider,
                'state', state, 'paid_minor', amount_minor, 'charged_minor', charged_minor, 'currency', currency,
                'refunded_minor', refunded_minor, 'method', method, 'paid', paid_at) order by created_at, payment_id), '[]')
                from payments where buyer_id = $1) as "payments!",
            (select coalesce(jsonb_agg(jsonb_build_object('refund', refund.refund_id, 'payment', refund.payment_id,
                'amount_minor', refund.amount_minor, 'currency', refund.currency, 'state', refund.state,
                'made', refund.created_at) order by refund.created_at, refund.refund_id), '[]')
                from refunds refund join payments paid using (provider, payment_id) where paid.buyer_id = $1) as "refunds!",
            (select coalesce(jsonb_agg(jsonb_build_object('transaction', t.id, 'kind', t.kind, 'credits', t.net,
                'balance_after', t.balance_after, 'description', t.description, 'order', t.order_id, 'at', t.created_at)
                order by t.last_seq), '[]')
                from credit_transactions t join credit_accounts wallet on wallet.id = t.account_id
                where wallet.owner_id = $1 and wallet.kind = 'wallet') as "statement!",
            (select coalesce(jsonb_agg(jsonb_build_object('transaction', legacy_id, 'kind', kind, 'credits', amount,
                'balance_after', balance_after, 'description', description, 'at', at) order by at, legacy_id), '[]')
                from legacy_transactions where person_id = $1) as "before_the_move!",
            (select coalesce(jsonb_agg(jsonb_build_object('kind', mail.kind, 'about', mail.subject, 'order', mail.order_id,
                'state', mail.state, 'announced', mail.created_at, 'sent', mail.sent_at) order by mail.id), '[]')
                from mails mail left join credit_orders o on o.id = mail.order_id
                where mail.person_id = $1 or o.buyer_id = $1 and mail.kind in ('receipt', 'payment_failed', 'refunded',
                    'request_approved', 'request_rejected')) as "mails!",
            (select coalesce(jsonb_agg(jsonb_build_object('at', at, 'deed', deed,
                'by', case when actor_id = $1 then 'you' else actor end, 'session', session, 'network', network,
                'change', change) order by number), '[]')
                from audit_entries where actor_id = $1 or about = 'person' and about_id = $1::text) as "audit!""#,
        id as PersonId,
    )
    .fetch_one(&mut *tx)
    .await?;
    let by = By { who: Who::Person(id), origin };
    let change = Change::none().noted("form", form.as_str());
    audit::record(&mut tx, &by.did(What::DataExported, About::Person(id)).with(change)).await?;
    tx.commit().await?;
    Ok(gathered)
}

impl Export {
    fn parts(&self) -> [(&'static str, &Value); 11] {
        [
            ("profile", &self.profile),
            ("sessions", &self.sessions),
            ("ways_in", &self.ways_in),
            ("orders", &self.orders),
            ("notes", &self.notes),
            ("payments", &self.payments),
            ("refunds", &self.refunds),
            ("statement", &self.statement),
            ("before_the_move", &self.before_the_move),
            ("mails", &self.mails),
            ("audit", &self.audit),
        ]
    }

    /// One line for each value: the part, the row within it, the field, the value. One table holds all parts, and a
    /// spreadsheet can filter by the first column.
    pub fn csv(&self) -> String {
        let mut file = "part,row,field,value\r\n".to_owned();
        for (part, rows) in self.parts() {
            let rows = rows.as_array().map_or(&[][..], Vec::as_slice);
            for (place, row) in rows.iter().enumerate() {
                for (field, value) in row.as_object().into_iter().flatten() {
                    let _ = write!(file, "{}", csv::row([part, &(place + 1).to_string(), field, &text(value)]));
                }
            }
        }
        file
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
