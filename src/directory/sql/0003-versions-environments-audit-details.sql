-- What an API over the directory needs: versions against lost updates, environments, keys that are
-- found by organization, grants with ids, and what each change was.

CREATE TABLE environments (
  id text PRIMARY KEY CHECK (id ~ '^env-[a-z0-9]+$'),
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX environment_name ON environments (organization_id, display_name);
CREATE INDEX environments_of_organization ON environments (organization_id, id);

-- A principal's organization stands at its keys too, so that a page of an organization's keys is
-- read from one index however many keys there are. The foreign key keeps both the same.
ALTER TABLE principals ADD CONSTRAINT principal_in_organization UNIQUE (id, organization_id);
ALTER TABLE api_keys ADD COLUMN organization_id uuid;
ALTER TABLE api_keys DISABLE TRIGGER api_key_changed;
UPDATE api_keys k SET organization_id = p.organization_id FROM principals p WHERE p.id = k.owner_id;
ALTER TABLE api_keys ENABLE TRIGGER api_key_changed;
ALTER TABLE api_keys ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_owner_id_fkey;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_owner_id_fkey
  FOREIGN KEY (owner_id, organization_id) REFERENCES principals (id, organization_id)
  ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX api_keys_of_organization ON api_keys (organization_id, id);
CREATE FUNCTION set_organization_of_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT organization_id INTO NEW.organization_id FROM principals WHERE id = NEW.owner_id;
  -- An owner that does not exist is for the foreign key to refuse, which looks at no NULL.
  NEW.organization_id := coalesce(NEW.organization_id, '00000000-0000-0000-0000-000000000000');
  RETURN NEW;
END
$$;
CREATE TRIGGER api_key_in_organization BEFORE INSERT OR UPDATE OF owner_id ON api_keys
  FOR EACH ROW EXECUTE FUNCTION set_organization_of_key();

-- A name may be longer than a link to a page can carry.
ALTER TABLE access_grants ADD COLUMN id text NOT NULL
  DEFAULT 'grant-' || left(replace(gen_random_uuid()::text, '-', ''), 12);
ALTER TABLE access_grants ADD CONSTRAINT access_grant_id UNIQUE (id);

-- Counted by the database, so that changes by hand count.
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END
$$;
ALTER TABLE organizations ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE principals ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE identity_providers ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE identity_pools ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE partners ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE partner_clients ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE resources ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE environments ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE TRIGGER organization_version BEFORE UPDATE ON organizations
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER principal_version BEFORE UPDATE ON principals
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER api_key_version BEFORE UPDATE ON api_keys
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER identity_provider_version BEFORE UPDATE ON identity_providers
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER identity_pool_version BEFORE UPDATE ON identity_pools
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER partner_version BEFORE UPDATE ON partners
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER partner_client_version BEFORE UPDATE ON partner_clients
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER resource_version BEFORE UPDATE ON resources
  FOR EACH ROW EXECUTE FUNCTION count_version();
CREATE TRIGGER environment_version BEFORE UPDATE ON environments
  FOR EACH ROW EXECUTE FUNCTION count_version();

-- Where a change came from, and what it was: never a secret, nor a digest of one.
ALTER TABLE audit_events ADD COLUMN address text;
ALTER TABLE audit_events ADD COLUMN before jsonb;
ALTER TABLE audit_events ADD COLUMN after jsonb;
