-- Other limits than the configured ones, for an organization, one of its principals, or a partner.

CREATE TABLE limit_overrides (
  -- Partners belong to no organization, and count as one of their own.
  organization_id uuid REFERENCES organizations ON DELETE CASCADE,
  partner_id text REFERENCES partners ON DELETE CASCADE,
  owner_id text GENERATED ALWAYS AS (coalesce(organization_id::text, partner_id)) STORED NOT NULL,
  -- Empty: the whole organization, and each of its principals that has no override of its own.
  principal_id text NOT NULL DEFAULT '' CHECK (length(principal_id) <= 255),
  limit_name text NOT NULL CHECK (length(limit_name) BETWEEN 1 AND 255),
  -- Whole numbers that JavaScript has exactly.
  value bigint NOT NULL CHECK (value BETWEEN 1 AND 9007199254740991),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, principal_id, limit_name),
  CHECK (num_nonnulls(organization_id, partner_id) = 1)
);
CREATE TRIGGER limit_override_changed AFTER INSERT OR UPDATE OR DELETE ON limit_overrides
  FOR EACH ROW EXECUTE FUNCTION notify_change('limit-override', 'owner_id');

-- Principals are kept in several tables, so no foreign key can say this.
CREATE FUNCTION delete_overrides_of_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM limit_overrides WHERE principal_id = OLD.id;
  RETURN NULL;
END
$$;
CREATE INDEX limit_overrides_of_principal ON limit_overrides (principal_id)
  WHERE principal_id <> '';
CREATE TRIGGER principal_of_overrides_deleted AFTER DELETE ON principals
  FOR EACH ROW EXECUTE FUNCTION delete_overrides_of_principal();
CREATE TRIGGER identity_pool_of_overrides_deleted AFTER DELETE ON identity_pools
  FOR EACH ROW EXECUTE FUNCTION delete_overrides_of_principal();
