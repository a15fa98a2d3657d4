-- Organizations, their principals, the principals' API keys, and the record of every change.

CREATE TABLE organizations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Users and service accounts in one table, so that a key has one owner column and one foreign key.
CREATE TABLE principals (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('user', 'service-account')),
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  display_name text NOT NULL CHECK (length(display_name) <= 255),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
  email text CHECK (length(email) BETWEEN 3 AND 320),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (id ~ CASE kind WHEN 'user' THEN '^u-[a-z0-9]+$' ELSE '^sa-[a-z0-9]+$' END),
  CHECK ((kind = 'user') = (email IS NOT NULL))
);
CREATE INDEX principals_of_organization ON principals (organization_id, id);
CREATE UNIQUE INDEX user_email ON principals (organization_id, lower(email))
  WHERE kind = 'user';
CREATE UNIQUE INDEX service_account_name ON principals (organization_id, display_name)
  WHERE kind = 'service-account';

CREATE TABLE api_keys (
  id text PRIMARY KEY CHECK (id ~ '^[A-Z0-9]{16}$'),
  owner_id text NOT NULL REFERENCES principals ON DELETE CASCADE,
  display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 255),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
  opens text NOT NULL CHECK (opens IN ('cloud', 'global', 'resource')),
  resource_kind text CHECK (length(resource_kind) BETWEEN 1 AND 255),
  resource_id text CHECK (length(resource_id) BETWEEN 1 AND 255),
  resource_environment text CHECK (length(resource_environment) BETWEEN 1 AND 255),
  revoked_at timestamptz,
  expires_at timestamptz CHECK (isfinite(expires_at)),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((opens = 'resource') = (resource_kind IS NOT NULL AND resource_id IS NOT NULL)),
  CHECK (opens = 'resource' OR num_nonnulls(resource_kind, resource_id, resource_environment) = 0)
);
CREATE INDEX api_keys_of_owner ON api_keys (owner_id);

-- Two slots: a key has at most two live secrets, so that one can replace the other without a gap.
CREATE TABLE api_key_secrets (
  key_id text NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  slot smallint NOT NULL CHECK (slot IN (1, 2)),
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  pepper_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz CHECK (isfinite(expires_at)),
  PRIMARY KEY (key_id, slot)
);

-- Apart from api_keys, so that noting a use neither rewrites the key nor notifies anyone.
CREATE TABLE api_key_uses (
  key_id text PRIMARY KEY REFERENCES api_keys ON DELETE CASCADE,
  last_used_at timestamptz NOT NULL
);

-- No foreign keys: what happened stays written when its subject is gone.
CREATE TABLE audit_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT now(),
  actor_id text NOT NULL,
  request_id text,
  action text NOT NULL,
  organization_id uuid,
  subject_kind text NOT NULL,
  subject_id text NOT NULL
);
CREATE INDEX audit_events_of_organization ON audit_events (organization_id, id);

-- Every gateway process listens on this channel and forgets the key that a notification names. A
-- trigger tells it, and not the program, so that deletions by foreign key and changes by hand count.
CREATE FUNCTION notify_api_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed record;
BEGIN
  IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
  PERFORM pg_notify(
    'gatehouse_directory',
    json_build_object('kind', 'api-key', 'id', to_jsonb(changed) ->> TG_ARGV[0])::text
  );
  RETURN NULL;
END
$$;
CREATE TRIGGER api_key_changed AFTER INSERT OR UPDATE OR DELETE ON api_keys
  FOR EACH ROW EXECUTE FUNCTION notify_api_key_change('id');
CREATE TRIGGER api_key_secret_changed AFTER INSERT OR UPDATE OR DELETE ON api_key_secrets
  FOR EACH ROW EXECUTE FUNCTION notify_api_key_change('key_id');
-- An owner that moves or changes kind changes what each of its keys stands for.
CREATE FUNCTION notify_owner_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gatehouse_directory', json_build_object('kind', 'api-key', 'id', id)::text)
    FROM api_keys WHERE owner_id = NEW.id;
  RETURN NULL;
END
$$;
CREATE TRIGGER owner_changed AFTER UPDATE OF kind, organization_id ON principals
  FOR EACH ROW EXECUTE FUNCTION notify_owner_change();
