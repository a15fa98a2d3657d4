-- An API names objects by one id; what an override is the limit of makes its own.
ALTER TABLE limit_overrides ADD COLUMN id text GENERATED ALWAYS AS (
  'override-' || left(md5(
    coalesce(organization_id::text, partner_id) || E'\n' || principal_id || E'\n' || limit_name
  ), 20)
) STORED NOT NULL UNIQUE;
