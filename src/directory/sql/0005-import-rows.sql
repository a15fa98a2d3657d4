-- What an import puts back: lines of an export, each with a row of one table. Columns that the lines
-- lack, as they do in an export of an earlier schema, get their defaults; what the database counts
-- or works out by itself is taken as it was, or worked out again.
CREATE FUNCTION import_rows(target regclass, lines jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  columns text;
BEGIN
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND lines -> 0 -> 'row' ? attname::text;
  EXECUTE format(
    'INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE
     SELECT %2$s FROM jsonb_populate_recordset(NULL::%1$s,
       (SELECT jsonb_agg(line -> ''row'') FROM jsonb_array_elements($1) AS line))',
    target, columns
  ) USING lines;
END
$$;
