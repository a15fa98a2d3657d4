-- How many resources of a kind callers have, for quotas that count them.

CREATE TABLE resource_counts (
  -- Partners belong to no organization, and count as one of their own.
  organization_id uuid REFERENCES organizations ON DELETE CASCADE,
  partner_id text REFERENCES partners ON DELETE CASCADE,
  owner_id text GENERATED ALWAYS AS (coalesce(organization_id::text, partner_id)) STORED NOT NULL,
  -- Empty: the whole organization is counted together.
  principal_id text NOT NULL DEFAULT '' CHECK (length(principal_id) <= 255),
  quota text NOT NULL CHECK (length(quota) BETWEEN 1 AND 255),
  used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  -- Creations under way: an id for each, and when it lapses (seconds since the epoch). They stand in
  -- the row that is counted in, so that who waits for the row's lock sees those that came before.
  reservations jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (owner_id, principal_id, quota),
  CHECK (num_nonnulls(organization_id, partner_id) = 1)
);

-- What was counted, so that telling it twice counts once.
CREATE TABLE counted_changes (
  id text PRIMARY KEY CHECK (length(id) <= 255),
  counted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX counted_changes_by_age ON counted_changes (counted_at);

CREATE FUNCTION live_reservations(reservations jsonb) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(reservations)
  WHERE value::text::float8 > extract(epoch FROM clock_timestamp())
$$;

CREATE FUNCTION count_reservations(reservations jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT count(*) FROM jsonb_object_keys(reservations)
$$;

CREATE FUNCTION delete_counts_of_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM resource_counts WHERE principal_id = OLD.id;
  RETURN NULL;
END
$$;
CREATE INDEX resource_counts_of_principal ON resource_counts (principal_id)
  WHERE principal_id <> '';
CREATE TRIGGER principal_of_counts_deleted AFTER DELETE ON principals
  FOR EACH ROW EXECUTE FUNCTION delete_counts_of_principal();
CREATE TRIGGER identity_pool_of_counts_deleted AFTER DELETE ON identity_pools
  FOR EACH ROW EXECUTE FUNCTION delete_counts_of_principal();
