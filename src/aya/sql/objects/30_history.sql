-- The database itself logs every change of state, by whatever client, in the same transaction.
--
-- For each table of state a trigger function is written out from the catalog. Columns that are observation are not logged.

CREATE OR REPLACE FUNCTION aya.actor() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('aya.actor', true), ''), session_user::text);
COMMENT ON FUNCTION aya.actor() IS 'Who is changing: the setting aya.actor, else the role of the session.';

CREATE OR REPLACE FUNCTION aya.shown(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN value IS NULL OR value = 'null' THEN 'nothing' ELSE left(value #>> '{}', 80) END;
COMMENT ON FUNCTION aya.shown(jsonb) IS 'A value as a description shows it: cut to 80 characters, NULL as "nothing".';

CREATE OR REPLACE FUNCTION aya.shown_setting(value text, unit text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN value IS NULL THEN 'nothing'
    WHEN value = '' THEN ''''''
    WHEN unit IS NULL OR value !~ '^[1-9][0-9]{0,14}$' THEN left(value, 80)
    ELSE (
        -- As PostgreSQL itself shows it: in the largest unit that leaves a whole number.
        SELECT CASE WHEN u.size IS NULL THEN value || ' ' || unit ELSE (value::numeric * b.size / u.size)::bigint || u.name END
        FROM (VALUES
            ('B', 'bytes', 1::numeric), ('kB', 'bytes', 1024), ('8kB', 'bytes', 8192), ('16kB', 'bytes', 16384), ('32kB', 'bytes', 32768),
            ('64kB', 'bytes', 65536), ('MB', 'bytes', 1048576), ('GB', 'bytes', 1073741824), ('TB', 'bytes', 1099511627776),
            ('us', 'time', 1), ('ms', 'time', 1000), ('s', 'time', 1000000), ('min', 'time', 60000000)
        ) AS b (name, kind, size)
        LEFT JOIN LATERAL (
            SELECT w.name, w.size
            FROM (VALUES
                ('B', 'bytes', 1::numeric), ('kB', 'bytes', 1024), ('MB', 'bytes', 1048576), ('GB', 'bytes', 1073741824),
                ('TB', 'bytes', 1099511627776),
                ('us', 'time', 1), ('ms', 'time', 1000), ('s', 'time', 1000000), ('min', 'time', 60000000), ('h', 'time', 3600000000),
                ('d', 'time', 86400000000)
            ) AS w (name, kind, size)
            WHERE w.kind = b.kind AND value::numeric * b.size % w.size = 0
            ORDER BY w.size DESC
            LIMIT 1
        ) u ON true
        WHERE b.name = unit
        UNION ALL
        SELECT value || ' ' || unit
        LIMIT 1
    )
END;
COMMENT ON FUNCTION aya.shown_setting(text, text) IS 'A setting''s value as PostgreSQL''s SHOW writes it: 16384 of 8kB is 128MB.';

CREATE OR REPLACE VIEW aya.state_tables AS
SELECT * FROM (VALUES
    ('system_nodes', 'node', 'hardware', NULL, ARRAY['node_name'], ARRAY['last_verified']),
    ('network_interfaces', 'interfaces', 'network', 'is_present', ARRAY['interface_name'], ARRAY[]::text[]),
    ('software_versions', 'software', 'software', 'is_active', ARRAY['software_name', 'install_path', 'software_architecture'], ARRAY[]::text[]),
    ('services', 'services', 'service', 'is_present', ARRAY['service_name'], ARRAY['process_id', 'uptime_seconds']),
    ('postgresql_instances', 'instances', 'service', 'is_active', ARRAY['instance'], ARRAY[]::text[]),
    ('postgresql_configuration', 'settings', 'configuration', 'is_active', ARRAY['instance', 'setting_name'], ARRAY[]::text[]),
    ('replication_status', 'replication', 'replication', 'is_active',
        ARRAY['instance', 'side', 'slot_name', 'application_name', 'client_address'],
        ARRAY['replay_lag_ms', 'replay_lag_bytes', 'write_lag_ms', 'flush_lag_ms', 'last_check']),
    ('database_schemas', 'schemas', 'schema', 'is_present',
        ARRAY['instance', 'database_name', 'kind', 'schema_name', 'table_name', 'column_name', 'index_name', 'constraint_name', 'object_name'],
        ARRAY['table_size_bytes', 'index_size_bytes'])
) AS t (table_name, section, change_type, presence, key_columns, observations);
COMMENT ON VIEW aya.state_tables IS 'The tables whose changes are logged, and how.';
COMMENT ON COLUMN aya.state_tables.table_name IS 'The table, in schema public.';
COMMENT ON COLUMN aya.state_tables.section IS 'Its section of the state document.';
COMMENT ON COLUMN aya.state_tables.change_type IS 'The change_type of its changes.';
COMMENT ON COLUMN aya.state_tables.presence IS 'The column that says whether the fact is there now.';
COMMENT ON COLUMN aya.state_tables.key_columns IS 'What tells a row from the others of its node.';
COMMENT ON COLUMN aya.state_tables.observations IS 'Columns that are observation: not logged, not given back.';

CREATE OR REPLACE FUNCTION aya.last_look(node integer, spoke text, before_run bigint) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.collected_at
    FROM public.collection_runs r
    WHERE r.node_id = node AND r.id < before_run
        AND (spoke IS NULL OR EXISTS (
            SELECT FROM public.collection_outcomes o
            WHERE o.run_id = r.id AND o.outcome IN ('ok', 'absent')
                AND o.collector = split_part(spoke, '@', 1) AND o.target = substr(spoke, length(split_part(spoke, '@', 1)) + 2)
        ))
    ORDER BY r.id DESC
    LIMIT 1;
END;
COMMENT ON FUNCTION aya.last_look(integer, text, bigint) IS 'When a collector (NULL: any) last looked at everything of a node, before the run of that number; NULL: never.';

CREATE OR REPLACE FUNCTION aya.refuse_renumbering() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the numbers of rows of % cannot be changed: the log knows the rows by them', tg_table_name
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
COMMENT ON FUNCTION aya.refuse_renumbering() IS 'Trigger: the number of a row of state stays.';

DO $generate$
DECLARE
    t record;
    states text[];
    is_node boolean;
    fact text;
    label text;
    old_state text; new_state text; pairs text; row_state text; said text;
BEGIN
    FOR t IN SELECT * FROM aya.state_tables LOOP
        is_node := t.table_name = 'system_nodes';
        SELECT array_agg(a.attname ORDER BY a.attnum) INTO states
        FROM pg_attribute a
        WHERE a.attrelid = ('public.' || t.table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname NOT IN ('id', 'created_at', 'updated_at')
            AND a.attname <> ALL (t.observations);
        SELECT format('concat_ws('' | '', %s)', string_agg(format('nullif(r.%I::text, '''')', k), ', ' ORDER BY n)),
               format('concat_ws('' '', %s)', string_agg(format('nullif(r.%I::text, '''')', k), ', ' ORDER BY n)
                   FILTER (WHERE k NOT IN ('instance', 'install_path', 'software_architecture', 'kind') OR cardinality(t.key_columns) = 1))
        INTO fact, label
        FROM unnest(t.key_columns) WITH ORDINALITY AS u (k, n);

        -- What is compared: every column of state, and of a node's metadata every key but `observed`, whose absence is no row at all.
        SELECT string_agg(format('o.%I', s), ', ') FILTER (WHERE NOT (is_node AND s = 'metadata')) || CASE WHEN is_node THEN ', o.metadata - ''observed''' ELSE '' END,
               string_agg(format('r.%I', s), ', ') FILTER (WHERE NOT (is_node AND s = 'metadata')) || CASE WHEN is_node THEN ', r.metadata - ''observed''' ELSE '' END,
               '(VALUES ' || string_agg(format('(%L, coalesce(to_jsonb(o.%I), ''null''), coalesce(to_jsonb(r.%I), ''null''))', s, s, s), ', ')
                   FILTER (WHERE NOT (is_node AND s = 'metadata')) || ')'
        INTO old_state, new_state, pairs FROM unnest(states) AS s;
        IF is_node THEN
            pairs := format($f$(
                    SELECT * FROM %s AS columns (k, o, n)
                    UNION ALL
                    SELECT 'metadata', CASE WHEN o.metadata IS NULL THEN 'null' ELSE '{}' END::jsonb,
                        CASE WHEN r.metadata IS NULL THEN 'null' ELSE '{}' END::jsonb
                    UNION ALL
                    SELECT 'metadata.' || k.key, o.metadata -> k.key, r.metadata -> k.key
                    FROM (SELECT jsonb_object_keys(o.metadata - 'observed') UNION SELECT jsonb_object_keys(r.metadata - 'observed')) AS k (key)
                )$f$, pairs);
        END IF;
        row_state := format('aya.flat(to_jsonb(r)) - ARRAY[''id'', ''updated_at''] - %L::text[]', t.observations);
        IF NOT is_node THEN
            row_state := replace(row_state, 'aya.flat(to_jsonb(r))', 'to_jsonb(r)');
        END IF;
        -- The value of a setting is what a change of it is about; any other column is named.
        said := 'CASE WHEN jsonb_typeof(v.n) = ''object'' OR jsonb_typeof(v.o) = ''object'' THEN v.k ELSE v.k || '' '' || aya.shown(v.o) || '' -> '' || aya.shown(v.n) END';
        IF t.table_name = 'postgresql_configuration' THEN
            said := format('CASE v.k WHEN ''setting_value'' THEN aya.shown_setting(v.o #>> ''{}'', o.setting_unit) || '' -> '' || aya.shown_setting(v.n #>> ''{}'', r.setting_unit) '
                'WHEN ''pending_value'' THEN ''pending '' || aya.shown_setting(v.o #>> ''{}'', o.setting_unit) || '' -> '' || aya.shown_setting(v.n #>> ''{}'', r.setting_unit) ELSE %s END', said);
        END IF;

        EXECUTE format($f$
CREATE OR REPLACE FUNCTION aya.log_%1$s() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A plan made while the transition tables were empty would cost the square of the rows for ever.
SET enable_nestloop = off
AS $body$
DECLARE
    -- What the recorder says of its runs: {"NODE": {"run": …, "seen": …, "owners": {"cpu_model": "cpu", …}}}.
    runs jsonb := coalesce(nullif(current_setting('aya.runs', true), ''), '{}');
    reason text := nullif(current_setting('aya.reason', true), '');
BEGIN
    IF tg_op = 'UPDATE' THEN
        WITH changed AS MATERIALIZED (
            SELECT r.id, r.%4$s AS node_id, %5$s AS source, %6$s AS fact,
                %7$s || coalesce(%8$s, ': ' || d.said, '') AS description, d.old, d.new
            FROM old_rows o
            JOIN new_rows r USING (id)
            CROSS JOIN LATERAL (
                SELECT jsonb_object_agg(v.k, v.o) FILTER (WHERE v.o IS NOT NULL), jsonb_object_agg(v.k, v.n) FILTER (WHERE v.n IS NOT NULL),
                    string_agg(%9$s, ', ') FILTER (WHERE v.k NOT IN ('metadata', 'source'))
                FROM %10$s AS v (k, o, n)
                WHERE v.o IS DISTINCT FROM v.n
            ) AS d (old, new, said)
            WHERE (%11$s) IS DISTINCT FROM (%12$s)
        ), spoke AS (
            SELECT s.node_id, s.source, aya.last_look(s.node_id, s.source, (runs -> s.node_id::text ->> 'run')::bigint) AS at
            FROM (SELECT DISTINCT node_id, source FROM changed WHERE %13$L <> 'system_nodes') s
        )
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, new_value, changed_by, change_reason, run_id, happened_after, happened_before, verification_status)
        SELECT c.node_id, sn.node_name, %2$L, c.source, %3$L, %1$L, c.id, c.fact, 'update',
            c.description || coalesce(' on ' || sn.node_name, ''), coalesce(c.old, '{}'), coalesce(c.new, '{}'), aya.actor(), reason,
            (runs -> c.node_id::text ->> 'run')::bigint,
            CASE WHEN at.last_seen <= at.seen THEN at.last_seen END, at.seen, 'pending'
        FROM changed c
        LEFT JOIN public.system_nodes sn ON sn.id = c.node_id
        LEFT JOIN spoke s ON s.node_id = c.node_id AND s.source IS NOT DISTINCT FROM c.source
        CROSS JOIN LATERAL (
            SELECT %14$s, coalesce((runs -> c.node_id::text ->> 'seen')::timestamptz, now())
        ) AS at (last_seen, seen)
        ORDER BY c.id;
    ELSIF tg_op = 'INSERT' THEN
        WITH loads AS (
            -- Sources that were never heard of before, with more than one row: they say what is, not what changed.
            SELECT g.node_id, g.source, g.rows, g.records
            FROM (
                SELECT r.%4$s AS node_id, %5$s AS source, count(*) AS rows, range_agg(int8range(r.id, r.id, '[]')) AS records
                FROM new_rows r
                GROUP BY 1, 2
                HAVING count(*) > 1
            ) g
            WHERE %13$L <> 'system_nodes' AND NOT EXISTS (
                SELECT FROM public.change_log l
                WHERE l.node_id = g.node_id AND l.section = %2$L
                    AND (l.source IS NOT DISTINCT FROM g.source OR l.action = 'first load' AND l.new_value -> 'sources' ? g.source)
            )
        ), fresh AS (
            SELECT r.id, r.%4$s AS node_id, %5$s AS source, %6$s AS fact, %7$s AS label,
                aya.known(%15$s) AS row,
                aya.last_look(r.%4$s, %5$s, (runs -> r.%4$s::text ->> 'run')::bigint) AS last_seen
            FROM new_rows r
            WHERE NOT EXISTS (SELECT FROM loads l WHERE l.node_id = r.%4$s AND l.source IS NOT DISTINCT FROM %5$s)
        ), logged AS (
            SELECT NULL::bigint AS record_id, l.node_id, CASE count(*) WHEN 1 THEN min(l.source) END AS source, NULL::text AS fact,
                'first load' AS action, range_agg(l.records) AS records,
                format('%%s %%s first recorded', sum(l.rows), %2$L) AS description,
                jsonb_build_object('rows', sum(l.rows), 'sources', jsonb_object_agg(coalesce(l.source, ''), l.rows)) AS new,
                NULL::timestamptz AS last_seen
            FROM loads l
            GROUP BY l.node_id
            UNION ALL
            SELECT f.id, f.node_id, f.source, f.fact, 'insert', NULL, f.label || ' appeared', f.row, f.last_seen
            FROM fresh f
        )
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, records, fact, action,
            change_description, new_value, changed_by, change_reason, run_id, happened_after, happened_before, verification_status)
        SELECT x.node_id, sn.node_name, %2$L, x.source, %3$L, %1$L, x.record_id, x.records, x.fact, x.action,
            x.description || CASE WHEN %13$L = 'system_nodes' THEN '' ELSE coalesce(' on ' || sn.node_name, '') END, x.new,
            aya.actor(), reason, (runs -> x.node_id::text ->> 'run')::bigint,
            CASE WHEN x.last_seen <= at.seen THEN x.last_seen END, at.seen, 'pending'
        FROM logged x
        LEFT JOIN public.system_nodes sn ON sn.id = x.node_id
        CROSS JOIN LATERAL (SELECT coalesce((runs -> x.node_id::text ->> 'seen')::timestamptz, now())) AS at (seen)
        ORDER BY x.record_id;
    ELSIF tg_op = 'DELETE' THEN
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, changed_by, change_reason, happened_before, verification_status)
        SELECT r.%4$s, sn.node_name, %2$L, %5$s, %3$L, %1$L, r.id, %6$s, 'delete',
            %7$s || ' was deleted' || coalesce(' on ' || sn.node_name, ''), %15$s, aya.actor(), reason, now(), 'pending'
        FROM old_rows r
        CROSS JOIN LATERAL (SELECT aya.name_of_node(r.%4$s)) AS sn (node_name)
        ORDER BY r.id;
    ELSE
        -- Before the rows go: a TRUNCATE has no transition table.
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, changed_by, change_reason, happened_before, verification_status)
        SELECT r.%4$s, sn.node_name, %2$L, %5$s, %3$L, %1$L, r.id, %6$s, 'delete',
            %7$s || ' was truncated away' || coalesce(' on ' || sn.node_name, ''), %15$s, aya.actor(), reason, now(), 'pending'
        FROM public.%1$I r
        CROSS JOIN LATERAL (SELECT aya.name_of_node(r.%4$s)) AS sn (node_name)
        ORDER BY r.id;
    END IF;
    RETURN NULL;
END
$body$ $f$,
            t.table_name, t.section, t.change_type,
            CASE WHEN is_node THEN 'id' ELSE 'node_id' END,                                                              -- 4
            CASE WHEN is_node THEN 'NULL::text' ELSE 'r.source' END,                                                     -- 5
            fact, label,                                                                                                 -- 6, 7
            CASE WHEN t.presence IS NULL THEN 'NULL::text' ELSE
                format('CASE WHEN o.%1$I AND NOT r.%1$I THEN '' is gone'' WHEN r.%1$I AND NOT o.%1$I THEN '' is back'' END', t.presence)
            END,                                                                                                         -- 8
            said, pairs, old_state, new_state, t.table_name,                                                             -- 9 to 13
            CASE WHEN is_node
                -- Each column of a node has a collector that speaks for it; the longest interval covers all that changed.
                THEN '(SELECT CASE WHEN bool_and(look.at IS NOT NULL) THEN min(look.at) END FROM jsonb_object_keys(coalesce(c.old, ''{}'') || coalesce(c.new, ''{}'')) AS k (key) '
                    'CROSS JOIN LATERAL (SELECT aya.last_look(c.node_id, runs -> c.node_id::text -> ''owners'' ->> k.key, (runs -> c.node_id::text ->> ''run'')::bigint)) AS look (at))'
                ELSE 's.at' END,                                                                                         -- 14
            row_state                                                                                                    -- 15
        );
        EXECUTE format('COMMENT ON FUNCTION aya.log_%s() IS ''Trigger: log what was inserted, updated or deleted in %s.''', t.table_name, t.table_name);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION aya.log_%s() FROM PUBLIC', t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER log_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.log_%s()', t.table_name, t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER log_updated AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.log_%s()', t.table_name, t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER log_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.log_%s()', t.table_name, t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER log_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION aya.log_%s()', t.table_name, t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER numbers_stay BEFORE UPDATE OF id ON %I FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_renumbering()', t.table_name);
        -- Always: also in sessions that say they only replay what another server did.
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER log_inserted, ENABLE ALWAYS TRIGGER log_updated, ENABLE ALWAYS TRIGGER log_deleted, ENABLE ALWAYS TRIGGER log_truncated, ENABLE ALWAYS TRIGGER numbers_stay', t.table_name);
    END LOOP;
END
$generate$;

-- The log itself only grows, and only by what is written here. Its owner cannot log in; a superuser can put this trigger aside, which
-- `aya doctor` and `aya audit verify` show.
CREATE OR REPLACE FUNCTION aya.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'INSERT' AND current_user = 'aya_owner' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only, and written by the database itself: % is refused', tg_table_name, tg_op
        USING ERRCODE = 'insufficient_privilege', HINT = 'What is to be said of a change is said with aya.note_verification().';
END
$$;
COMMENT ON FUNCTION aya.refuse_rewriting() IS 'Trigger: the log is neither changed nor shortened, and nobody writes into it by hand.';
CREATE OR REPLACE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON change_log
    FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_rewriting();
ALTER TABLE change_log ENABLE ALWAYS TRIGGER append_only;

CREATE OR REPLACE FUNCTION aya.note_verification(change bigint, status text, notes text) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    noted bigint;
BEGIN
    INSERT INTO public.change_log (node_id, node_name, section, change_type, table_affected, record_id, fact, action, change_description,
        new_value, changed_by, change_reason, verification_status, verification_notes)
    SELECT c.node_id, c.node_name, c.section, 'system', 'change_log', c.id, c.fact, 'note',
        format('change %s marked %s', c.id, status), jsonb_build_object('verification_status', status, 'verification_notes', notes),
        aya.actor(), nullif(current_setting('aya.reason', true), ''), status, notes
    FROM public.change_log c
    WHERE c.id = change AND c.table_affected IS DISTINCT FROM 'change_log'
    RETURNING id INTO noted;
    RETURN noted;
END
$$;
COMMENT ON FUNCTION aya.note_verification(bigint, text, text) IS 'Say of a change that it was verified, or not, and how. A further row of the log; returns its number, NULL when there is no such change.';
REVOKE EXECUTE ON FUNCTION aya.note_verification(bigint, text, text) FROM PUBLIC;
