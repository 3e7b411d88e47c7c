-- The state as it was. NAME_as_of, written out from the catalog for each table of state, undoes what was logged later.
--
-- The schema `past` has views named like the tables and views of `public`, so that any query runs unchanged on the past:
--
--     SET search_path = past, public; SET aya.as_of = '2026-11-20 14:00'; SELECT * FROM v_system_overview;
--
-- aya.as_of is a moment, or #N for "right after change N". Unset, it is now.

CREATE OR REPLACE FUNCTION aya.history_reaches(at_change bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last record;
BEGIN
    SELECT max(upper(p.changes)) - 1 AS change, max(p.complete_since) AS since INTO last FROM aya.prunings p;
    IF at_change < last.change THEN
        RAISE EXCEPTION 'the state as it was then is no longer known: changes after it were pruned' USING ERRCODE = 'AYP01',
            HINT = format('The history is complete from %s UTC, change #%s, on.', last.since AT TIME ZONE 'UTC', last.change);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION aya.history_reaches(bigint) IS 'True when no change after the one of that number was pruned; else it raises AYP01 and says from when on the history is complete.';

CREATE OR REPLACE FUNCTION aya.change_number(at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    upto bigint;
    beyond bigint := 9223372036854775807;
    cut bigint;
BEGIN
    SELECT coalesce(max(l.id), 0) INTO upto FROM public.change_log l WHERE l.created_at <= at;
    -- The last one may be among those that were pruned.
    SELECT greatest(upto, max(upper(p.changes)) - 1) INTO upto FROM aya.prunings p WHERE p.complete_since <= at;
    -- A transaction is seen whole or not at all: as long as one has changes on both sides, the border goes before it.
    SELECT min(l.id) INTO cut FROM public.change_log l
    WHERE l.created_at > at AND l.id <= upto
        AND EXISTS (SELECT FROM public.change_log m WHERE m.transaction_id = l.transaction_id AND m.id > upto);
    WHILE cut IS NOT NULL LOOP
        beyond := upto;
        upto := cut - 1;
        SELECT min(l.id) INTO cut FROM public.change_log l
        WHERE l.id <= upto
            AND l.transaction_id IN (SELECT m.transaction_id FROM public.change_log m WHERE m.id > upto AND m.id <= beyond);
    END LOOP;
    RETURN upto;
END
$$;
COMMENT ON FUNCTION aya.change_number(timestamptz) IS 'The number of the last change that was logged at or before a moment, so that no transaction is cut in two; 0 before the first.';

CREATE OR REPLACE FUNCTION aya.as_of() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN current_setting('aya.as_of', true) ~ '^#\d{1,18}$' THEN substr(current_setting('aya.as_of', true), 2)::bigint
    WHEN coalesce(current_setting('aya.as_of', true), '') = '' THEN 9223372036854775807
    ELSE aya.change_number(current_setting('aya.as_of', true)::timestamptz)
END;
COMMENT ON FUNCTION aya.as_of() IS 'The number of the last change that the past, as the setting aya.as_of names it, has seen.';

CREATE OR REPLACE AGGREGATE aya.overlaid(jsonb) (sfunc = jsonb_concat, stype = jsonb);
COMMENT ON AGGREGATE aya.overlaid(jsonb) IS 'JSON objects laid over one another: of a key in several, the last one''s value.';

DO $generate$
DECLARE
    t record;
    is_node boolean;
    no_state text[];
    undone text;
    row_then text;
BEGIN
    FOR t IN SELECT * FROM aya.state_tables LOOP
        is_node := t.section = 'node';
        no_state := t.observations || ARRAY['updated_at'];
        -- Of several later changes of a column the earliest knows what it was: it is laid on last. A row whose first later change is its
        -- insertion was not there.
        undone := CASE WHEN NOT is_node THEN $f$
        SELECT l.record_id AS id, aya.overlaid(l.old_value ORDER BY l.id DESC) AS old, NULL::text[] AS keys,
            coalesce(min(l.id) FILTER (WHERE l.action = 'insert') = min(l.id), false) AS born
        FROM later l
        GROUP BY l.record_id$f$
        ELSE $f$
        -- A key of metadata that was not there has no old value, but is to go.
        SELECT k.id, jsonb_object_agg(k.key, k.value) FILTER (WHERE k.value IS NOT NULL) AS old, array_agg(k.key) FILTER (WHERE k.key IS NOT NULL) AS keys,
            bool_or(k.born) AS born
        FROM (
            SELECT DISTINCT ON (l.record_id, e.key) l.record_id AS id, e.key, l.old_value -> e.key AS value,
                l.action = 'insert' AND l.id = min(l.id) OVER (PARTITION BY l.record_id) AS born
            FROM later l
            LEFT JOIN LATERAL jsonb_object_keys(
                CASE l.action WHEN 'insert' THEN '{}' ELSE coalesce(l.old_value, '{}') || coalesce(l.new_value, '{}') END
            ) AS e (key) ON true
            ORDER BY l.record_id, e.key, l.id
        ) k
        GROUP BY k.id$f$ END;
        SELECT string_agg(CASE
            WHEN a.attname = ANY (no_state) THEN format('NULL::%s', format_type(a.atttypid, a.atttypmod))
            WHEN a.attname = 'id' THEN 'r.id'
            WHEN is_node AND a.attname = 'metadata' THEN 'CASE WHEN u.id IS NULL THEN r.metadata - ''observed'' ELSE aya.unflat('
                'aya.flat(jsonb_build_object(''metadata'', r.metadata)) - coalesce(u.keys, ''{}'') || coalesce(u.old, ''{}'')) -> ''metadata'' END'
            WHEN a.atttypid = 'jsonb'::regtype THEN
                format('CASE WHEN u.old ? %1$L THEN nullif(u.old -> %1$L, ''null'') ELSE r.%1$I END', a.attname)
            ELSE format('CASE WHEN u.old ? %1$L THEN (u.old ->> %1$L)::%2$s ELSE r.%1$I END', a.attname, format_type(a.atttypid, a.atttypmod))
        END, E',\n        ' ORDER BY a.attnum) INTO row_then
        FROM pg_attribute a
        WHERE a.attrelid = ('public.' || t.table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped;

        EXECUTE format($f$
CREATE OR REPLACE FUNCTION aya.%1$s_as_of(at_change bigint) RETURNS SETOF public.%1$I
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET work_mem = '64MB'
AS $body$
    WITH later AS (
        SELECT l.id, l.record_id, l.action, l.old_value, l.new_value
        FROM public.change_log l
        WHERE l.table_affected = %1$L AND l.id > at_change AND l.record_id IS NOT NULL
    ), loaded AS MATERIALIZED (
        SELECT range_agg(l.records) AS records
        FROM public.change_log l
        WHERE l.table_affected = %1$L AND l.id > at_change AND l.records IS NOT NULL
    ), undo AS MATERIALIZED (%2$s
    )
    SELECT
        %3$s
    FROM public.%1$I r
    LEFT JOIN undo u ON u.id = r.id
    CROSS JOIN loaded
    WHERE aya.history_reaches(at_change) AND u.born IS NOT TRUE AND (loaded.records @> r.id::bigint) IS NOT TRUE
    UNION ALL
    -- What is gone since, row and all.
    SELECT p.*
    FROM undo u
    CROSS JOIN loaded
    CROSS JOIN LATERAL jsonb_populate_record(NULL::public.%1$I, %4$s - %5$L::text[] || jsonb_build_object('id', u.id)) AS p
    WHERE NOT u.born AND (loaded.records @> u.id) IS NOT TRUE AND NOT EXISTS (SELECT FROM public.%1$I r WHERE r.id = u.id)
$body$ $f$, t.table_name, undone, row_then, CASE WHEN is_node THEN 'aya.unflat(u.old)' ELSE 'u.old' END, no_state);
        EXECUTE format('COMMENT ON FUNCTION aya.%s_as_of(bigint) IS ''The rows of %s as they were right after the change of that number; observations and updated_at are NULL.''',
            t.table_name, t.table_name);
        EXECUTE format($f$
CREATE OR REPLACE FUNCTION aya.%1$s_as_of(at timestamptz) RETURNS SETOF public.%1$I
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $body$ SELECT * FROM aya.%1$s_as_of(aya.change_number(at)) $body$ $f$, t.table_name);
        EXECUTE format('COMMENT ON FUNCTION aya.%s_as_of(timestamptz) IS ''The rows of %s as they were at a moment; observations and updated_at are NULL.''',
            t.table_name, t.table_name);
    END LOOP;
END
$generate$;

CREATE OR REPLACE FUNCTION aya.as_of_time() RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked text := coalesce(current_setting('aya.as_of', true), '');
BEGIN
    IF asked ~ '^#\d{1,18}$' THEN
        RETURN (SELECT l.created_at FROM public.change_log l WHERE l.id <= substr(asked, 2)::bigint ORDER BY l.id DESC LIMIT 1);
    END IF;
    RETURN coalesce(nullif(asked, '')::timestamptz, now());
END
$$;
COMMENT ON FUNCTION aya.as_of_time() IS 'The moment that the setting aya.as_of names; of a change, when it was logged; NULL before the first.';

CREATE SCHEMA IF NOT EXISTS past;
COMMENT ON SCHEMA past IS 'The state as of the setting aya.as_of: put it first in search_path, and every query runs on the past.';

DO $$
DECLARE
    t record;
    c record;
    body text;
BEGIN
    FOR t IN SELECT table_name FROM aya.state_tables LOOP
        EXECUTE format('CREATE OR REPLACE VIEW past.%I AS SELECT * FROM aya.%s_as_of(aya.as_of())', t.table_name, t.table_name);
        EXECUTE format('COMMENT ON VIEW past.%I IS %L', t.table_name, obj_description(('public.' || t.table_name)::regclass, 'pg_class')
            || ' As it was at aya.as_of; observations are NULL.');
    END LOOP;
    -- What was seen and measured by then. It is appended, not changed.
    FOR t IN SELECT * FROM (VALUES
        ('collection_runs', 'r.recorded_at <= aya.as_of_time()'),
        ('collection_outcomes', 'EXISTS (SELECT FROM past.collection_runs p WHERE p.id = r.run_id)'),
        ('check_results', 'r.started_at <= aya.as_of_time()'),
        ('performance_metrics', 'r.measured_at <= aya.as_of_time()'),
        ('change_log', 'r.id <= aya.as_of()')
    ) AS v (table_name, condition) LOOP
        EXECUTE format('CREATE OR REPLACE VIEW past.%1$I AS SELECT * FROM public.%1$I r WHERE %2$s', t.table_name, t.condition);
        EXECUTE format('COMMENT ON VIEW past.%I IS %L', t.table_name, obj_description(('public.' || t.table_name)::regclass, 'pg_class')
            || ' By aya.as_of.');
    END LOOP;
    FOR t IN SELECT * FROM unnest(ARRAY['v_system_overview', 'v_replication_health', 'v_service_status', 'v_performance_summary']) AS v (table_name) LOOP
        SET LOCAL search_path = public;
        body := replace(pg_get_viewdef(('public.' || t.table_name)::regclass), 'now()', 'aya.as_of_time()');
        SET LOCAL search_path = past, public;
        EXECUTE format('CREATE OR REPLACE VIEW past.%I AS %s', t.table_name, body);
        EXECUTE format('COMMENT ON VIEW past.%I IS %L', t.table_name, obj_description(('public.' || t.table_name)::regclass, 'pg_class')
            || ' As it was at aya.as_of.');
    END LOOP;
    SET LOCAL search_path = public;
    FOR c IN
        SELECT p.oid AS relation, a.attname, col_description(o.oid, b.attnum) AS said
        FROM pg_class p
        JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0
        JOIN pg_class o ON o.relname = p.relname AND o.relnamespace = 'public'::regnamespace
        JOIN pg_attribute b ON b.attrelid = o.oid AND b.attname = a.attname
        WHERE p.relnamespace = 'past'::regnamespace
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', c.relation::regclass, c.attname, c.said);
    END LOOP;
END
$$;
