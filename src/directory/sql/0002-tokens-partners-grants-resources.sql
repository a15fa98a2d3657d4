-- Who may present tokens and who gets them from us; what organizations are granted; the resources
-- that keys belong to; and the keys that we sign with.

-- A PATCH or a change by hand may move a record to another id, so that both are told.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  kind text := TG_ARGV[0];
  id_column text := TG_ARGV[1];
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM pg_notify('gatehouse_directory',
      json_build_object('kind', kind, 'id', to_jsonb(OLD) ->> id_column)::text);
  END IF;
  -- Of two equal notifications in one transaction PostgreSQL sends one.
  IF TG_OP <> 'DELETE' THEN
    PERFORM pg_notify('gatehouse_directory',
      json_build_object('kind', kind, 'id', to_jsonb(NEW) ->> id_column)::text);
  END IF;
  RETURN NULL;
END
$$;

-- Issuers of external tokens. Several organizations may trust one issuer.
CREATE TABLE identity_providers (
  id text PRIMARY KEY CHECK (id ~ '^op-[a-z0-9]+$'),
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
  -- Compared as it stands, byte by byte, and part of an index and of notifications.
  issuer text NOT NULL CHECK (issuer ~ '^[!-~]+$' AND length(issuer) <= 1000),
  -- NULL: found by OpenID Connect Discovery.
  jwks_uri text CHECK (jwks_uri ~ '^[!-~]+$' AND length(jwks_uri) <= 2000),
  identity_claim text CHECK (length(identity_claim) BETWEEN 1 AND 255),
  -- Empty: those of the default families.
  algorithms text[] NOT NULL DEFAULT '{}' CHECK (algorithms <@ ARRAY[
    'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
    'Ed25519'
  ]),
  state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX identity_provider_issuer ON identity_providers (organization_id, issuer);
CREATE INDEX identity_providers_of_organization ON identity_providers (organization_id, id);
CREATE INDEX identity_providers_of_issuer ON identity_providers (issuer);

-- The principals that a provider's tokens stand for, told by a filter on their claims.
CREATE TABLE identity_pools (
  id text PRIMARY KEY CHECK (id ~ '^pool-[a-z0-9]{1,250}$'),
  provider_id text NOT NULL REFERENCES identity_providers ON DELETE CASCADE,
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
  identity_claim text NOT NULL CHECK (length(identity_claim) BETWEEN 1 AND 255),
  filter text NOT NULL CHECK (length(filter) BETWEEN 1 AND 10000),
  state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_pools_of_provider ON identity_pools (provider_id, id);

CREATE TRIGGER identity_provider_changed AFTER INSERT OR UPDATE OR DELETE ON identity_providers
  FOR EACH ROW EXECUTE FUNCTION notify_change('issuer', 'issuer');
-- A pool is looked up together with its provider, and a provider together with its pools.
CREATE FUNCTION notify_pools_of_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gatehouse_directory', json_build_object('kind', 'identity-pool', 'id', id)::text)
    FROM identity_pools WHERE provider_id = NEW.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER identity_provider_of_pools_changed AFTER UPDATE ON identity_providers
  FOR EACH ROW EXECUTE FUNCTION notify_pools_of_provider();
CREATE FUNCTION notify_issuer_of_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- None is found where the pool goes with its provider, which then tells its issuer itself.
  PERFORM pg_notify('gatehouse_directory', json_build_object('kind', 'issuer', 'id', issuer)::text)
    FROM identity_providers
    WHERE (TG_OP <> 'INSERT' AND id = OLD.provider_id)
      OR (TG_OP <> 'DELETE' AND id = NEW.provider_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER identity_pool_changed AFTER INSERT OR UPDATE OR DELETE ON identity_pools
  FOR EACH ROW EXECUTE FUNCTION notify_change('identity-pool', 'id');
CREATE TRIGGER identity_pool_of_issuer_changed AFTER INSERT OR UPDATE OR DELETE ON identity_pools
  FOR EACH ROW EXECUTE FUNCTION notify_issuer_of_pool();

-- Partners belong to no organization. They act through OAuth clients.
CREATE TABLE partners (
  id text PRIMARY KEY CHECK (id ~ '^partner-[a-z0-9]+$'),
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE partner_clients (
  -- Without a colon or anything that forms encode, so that every way of presenting it is the same.
  id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]+$' AND length(id) BETWEEN 16 AND 255),
  partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  -- scope-token, RFC 6749 §3.3
  scopes text[] NOT NULL CHECK (array_to_string(scopes, '', ' ') ~ '^[!#-[\]-~]*$'),
  token_endpoint_auth_methods text[] NOT NULL CHECK (
    token_endpoint_auth_methods <@
      ARRAY['client_secret_basic', 'client_secret_post', 'private_key_jwt']
    AND cardinality(token_endpoint_auth_methods) > 0
  ),
  -- RFC 7517 §5. A private or symmetric key is refused: it would be shown to whoever reads clients.
  jwks jsonb CHECK (
    jwks IS NULL OR (
      jsonb_typeof(jwks -> 'keys') IS NOT DISTINCT FROM 'array'
      AND octet_length(jwks::text) <= 100000
      AND NOT jsonb_path_exists(jwks,
        'strict $.keys[*] ? (@.type() != "object")')
      AND NOT jsonb_path_exists(jwks,
        '$.keys[*] ? (!exists(@.kty) || exists(@.d) || exists(@.p) || exists(@.q) || exists(@.k))')
    )
  ),
  state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ('private_key_jwt' <> ALL (token_endpoint_auth_methods) OR jwks IS NOT NULL)
);
CREATE INDEX partner_clients_of_partner ON partner_clients (partner_id, id);

-- Two slots, as for API keys.
CREATE TABLE partner_client_secrets (
  client_id text NOT NULL REFERENCES partner_clients ON DELETE CASCADE,
  slot smallint NOT NULL CHECK (slot IN (1, 2)),
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  pepper_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz CHECK (isfinite(expires_at)),
  PRIMARY KEY (client_id, slot)
);

CREATE TRIGGER partner_client_changed AFTER INSERT OR UPDATE OR DELETE ON partner_clients
  FOR EACH ROW EXECUTE FUNCTION notify_change('partner-client', 'id');
CREATE TRIGGER partner_client_secret_changed AFTER INSERT OR UPDATE OR DELETE
  ON partner_client_secrets
  FOR EACH ROW EXECUTE FUNCTION notify_change('partner-client', 'client_id');
CREATE TRIGGER partner_changed AFTER INSERT OR UPDATE OR DELETE ON partners
  FOR EACH ROW EXECUTE FUNCTION notify_change('partner', 'id');
-- A client is looked up together with its partner.
CREATE FUNCTION notify_clients_of_partner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gatehouse_directory', json_build_object('kind', 'partner-client', 'id', id)::text)
    FROM partner_clients WHERE partner_id = NEW.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER partner_of_clients_changed AFTER UPDATE ON partners
  FOR EACH ROW EXECUTE FUNCTION notify_clients_of_partner();

-- What an organization may use that not everybody may: the name of a group, or of an early access.
CREATE TABLE access_grants (
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, name)
);
-- All grants of an organization are looked up together, so its id is what is told.
CREATE TRIGGER access_grant_changed AFTER INSERT OR UPDATE OR DELETE ON access_grants
  FOR EACH ROW EXECUTE FUNCTION notify_change('access-grants', 'organization_id');

-- Resources of other services that the gateway was told of, and that API keys open.
CREATE TABLE resources (
  id text PRIMARY KEY CHECK (id ~ '^resource-[a-z0-9]+$'),
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  -- Named as in api_keys.
  resource_kind text NOT NULL CHECK (length(resource_kind) BETWEEN 1 AND 255),
  resource_id text NOT NULL CHECK (length(resource_id) BETWEEN 1 AND 255),
  resource_environment text CHECK (length(resource_environment) BETWEEN 1 AND 255),
  display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX resource_name
  ON resources (resource_kind, resource_id, coalesce(resource_environment, ''));
CREATE INDEX resources_of_organization ON resources (organization_id, id);
CREATE INDEX api_keys_of_resource ON api_keys (resource_kind, resource_id)
  WHERE opens = 'resource';
CREATE TRIGGER resource_changed AFTER INSERT OR UPDATE OR DELETE ON resources
  FOR EACH ROW EXECUTE FUNCTION notify_change('resource', 'id');
-- No foreign key can say this, since keys are made for resources too that the gateway is not told of.
CREATE FUNCTION delete_keys_of_resource() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM api_keys
    WHERE opens = 'resource' AND resource_kind = OLD.resource_kind
      AND resource_id = OLD.resource_id
      AND resource_environment IS NOT DISTINCT FROM OLD.resource_environment;
  RETURN NULL;
END
$$;
CREATE TRIGGER resource_deleted AFTER DELETE ON resources
  FOR EACH ROW EXECUTE FUNCTION delete_keys_of_resource();

-- What the gateway signs tokens with: published as "next", then used as "current", then kept as
-- "previous" until the last token is over that was signed with it.
CREATE TABLE signing_keys (
  kid text PRIMARY KEY CHECK (length(kid) BETWEEN 1 AND 255),
  algorithm text NOT NULL CHECK (algorithm IN ('EdDSA', 'ES256')),
  public_jwk jsonb NOT NULL CHECK (NOT public_jwk ? 'd'),
  -- Encrypted under a key that is derived from the pepper; gone once nothing is to be signed with it.
  sealed_private_key bytea,
  pepper_id text,
  state text NOT NULL CHECK (state IN ('next', 'current', 'previous')),
  created_at timestamptz NOT NULL DEFAULT now(),
  current_since timestamptz,
  keep_until timestamptz CHECK (isfinite(keep_until)),
  CHECK ((state = 'previous') = (sealed_private_key IS NULL)),
  CHECK ((sealed_private_key IS NULL) = (pepper_id IS NULL)),
  CHECK ((state = 'next') = (current_since IS NULL)),
  CHECK ((state = 'previous') = (keep_until IS NOT NULL))
);
CREATE UNIQUE INDEX signing_key_current ON signing_keys (state) WHERE state = 'current';
CREATE UNIQUE INDEX signing_key_next ON signing_keys (state) WHERE state = 'next';
CREATE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE ON signing_keys
  FOR EACH ROW EXECUTE FUNCTION notify_change('signing-key', 'kid');

-- Tokens of ours that are refused before they expire. Kept until then.
CREATE TABLE token_revocations (
  jti text PRIMARY KEY CHECK (length(jti) BETWEEN 1 AND 255),
  expires_at timestamptz NOT NULL CHECK (isfinite(expires_at)),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX token_revocations_by_expiry ON token_revocations (expires_at);
-- Deletions are not told: what has expired is refused anyway.
CREATE TRIGGER token_revoked AFTER INSERT OR UPDATE ON token_revocations
  FOR EACH ROW EXECUTE FUNCTION notify_change('token', 'jti');

-- The ids of assertions that clients have authenticated with, so that none is accepted twice.
CREATE TABLE used_assertions (
  client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
  jti text NOT NULL CHECK (length(jti) BETWEEN 1 AND 255),
  expires_at timestamptz NOT NULL CHECK (isfinite(expires_at)),
  PRIMARY KEY (client_id, jti)
);
CREATE INDEX used_assertions_by_expiry ON used_assertions (expires_at);
