-- Who has which role where. What a role allows is written in the configuration.

CREATE TABLE role_bindings (
  id text PRIMARY KEY CHECK (id ~ '^rb-[a-z0-9]+$'),
  organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  -- A user or service account, or else an identity pool: two tables, so two foreign keys.
  member_id text REFERENCES principals ON DELETE CASCADE ON UPDATE CASCADE,
  pool_id text REFERENCES identity_pools ON DELETE CASCADE ON UPDATE CASCADE,
  principal_id text NOT NULL GENERATED ALWAYS AS (coalesce(member_id, pool_id)) STORED,
  role text NOT NULL CHECK (length(role) BETWEEN 1 AND 255),
  crn_pattern text NOT NULL CHECK (length(crn_pattern) <= 2000),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(member_id, pool_id) = 1),
  -- crn://authority/organization=…: no pattern reaches into another organization, whoever wrote it.
  CONSTRAINT role_binding_within_organization CHECK (
    crn_pattern LIKE 'crn://%'
    AND split_part(crn_pattern, '/', 4) = 'organization=' || organization_id::text
  )
);
CREATE UNIQUE INDEX role_binding_once ON role_bindings (principal_id, role, crn_pattern);
CREATE INDEX role_bindings_of_organization ON role_bindings (organization_id, id);
CREATE INDEX role_bindings_of_member ON role_bindings (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX role_bindings_of_pool ON role_bindings (pool_id) WHERE pool_id IS NOT NULL;

-- All bindings of a principal are looked up together, so its id is what is told.
CREATE TRIGGER role_binding_changed AFTER INSERT OR UPDATE OR DELETE ON role_bindings
  FOR EACH ROW EXECUTE FUNCTION notify_change('role-bindings', 'principal_id');
