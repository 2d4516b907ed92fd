//! What has no flag.

/// Shown under `--help`: what has no flag.
pub const VARIABLES: &str = "\
Set in the environment only, because others can read a command line:
  DATABASE_URL                   postgres://…; without it a private PostgreSQL runs in the data folder
  ATLAS_ENCRYPTION_KEYS          id:base64 of 32 random bytes, several with commas, the first one seals; see docs/operate.md
  DATABASE_OWNER_URL             postgres://…, for migrations, if DATABASE_URL's login does not own the schema
  WHOP_API_KEY                   the company's API key
  WHOP_COMPANY_ID                biz_…
  WHOP_WEBHOOK_SECRET            ws_…, shown when the webhook is made
  WHOP_WEBHOOK_SECRET_PREVIOUS   still accepted while the secret is changed
  WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL   and until when: 2026-11-22T12:00:00Z
  WHOP_APP_PUBLIC_KEY            the JWK or JWKS of Whop’s frames, for /embed/credits; needs WHOP_APP_ID
  WHOP_APP_ID, WHOP_CLIENT_ID, WHOP_CLIENT_SECRET
  WHOP_API_URL, WHOP_OAUTH_URL, WHOP_WEB_URL   Whop's hosts, unless a sandbox stands in
  SMTP_URL                       smtps://user:password@host; without it mails are kept: atlas mail list
  MAIL_FROM                      who mails are from: Atlas Credits <credits@example.com>
  ADMIN_MAIL                     who hears of failures, with commas [default: everybody with the role admin]
  RUST_LOG                       what is logged: info,sqlx=warn,tower_sessions=warn,graphile_worker=warn";
