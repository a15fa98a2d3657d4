-- Versions against lost updates, for overrides too. Their ids no longer come from what they are the
-- limit of: one that is made anew is another object, whose versions begin anew.

ALTER TABLE limit_overrides ALTER COLUMN id DROP EXPRESSION;
ALTER TABLE limit_overrides ALTER COLUMN id
  SET DEFAULT 'override-' || left(replace(gen_random_uuid()::text, '-', ''), 20);
ALTER TABLE limit_overrides ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE TRIGGER limit_override_version BEFORE UPDATE ON limit_overrides
  FOR EACH ROW EXECUTE FUNCTION count_version();
