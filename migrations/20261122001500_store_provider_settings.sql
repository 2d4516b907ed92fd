-- How a provider is reached, where the environment does not say it: typed into the set-up page before there was an admin.
create table provider_settings (
    id uuid primary key,
    provider text not null unique,
    account text not null,
    sealed_api_key bytea,
    sealed_webhook_secret bytea,
    webhook_id text,
    changed_at timestamptz not null,
    constraint provider_settings_provider check (provider in ('whop')),
    constraint provider_settings_account check (length(account) between 1 and 255),
    constraint provider_settings_key_size check (octet_length(sealed_api_key) between 40 and 4096),
    constraint provider_settings_secret_size check (octet_length(sealed_webhook_secret) between 40 and 4096),
    constraint provider_settings_webhook check ((webhook_id is null) = (sealed_webhook_secret is null))
);
comment on table provider_settings is 'One row a provider. What stands in the environment wins over what stands here.';
comment on column provider_settings.account is 'The provider''s id of the account that is paid. Key and secret are this account''s.';
comment on column provider_settings.sealed_api_key is 'Sealed by the vault. Null: the environment has it.';
comment on column provider_settings.sealed_webhook_secret is 'Sealed by the vault. Null: no webhook was made from here.';
comment on column provider_settings.webhook_id is 'The provider''s id of the webhook that has this secret.';
grant select, insert, update, delete on provider_settings to atlas_app;
