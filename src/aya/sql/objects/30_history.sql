-- The database itself logs every change of state, by whatever client, in the same transaction.
--
-- For each table of state a trigger function is written out from the catalog. Columns that are observation are not logged.

CREATE OR REPLACE FUNCTION aya.actor() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('aya.actor', true), ''), session_user::text);
COMMENT ON FUNCTION aya.actor() IS 'Who is changing: the setting aya.actor, else the role of the session.';

CREATE OR REPLACE FUNCTION aya.shown_setting(value text, unit text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint;
BEGIN
    IF value IS NULL THEN
        RETURN 'nothing';
    ELSIF unit IS NULL OR value !~ '^[1-9][0-9]{0,9}$' THEN
        RETURN CASE value WHEN '' THEN '''''' ELSE left(value, 80) END || coalesce(' ' || unit, '');
    END IF;
    n := value::bigint * CASE unit
        WHEN 'kB' THEN 1024 WHEN '8kB' THEN 8192 WHEN '16kB' THEN 16384 WHEN '32kB' THEN 32768 WHEN '64kB' THEN 65536 WHEN 'MB' THEN 1048576
        WHEN 'us' THEN 1 WHEN 'ms' THEN 1000 WHEN 's' THEN 1000000 WHEN 'min' THEN 60000000 WHEN 'B' THEN 1
    END::bigint;
    -- As PostgreSQL itself shows it: in the largest unit that leaves a whole number.
    RETURN CASE
        WHEN n IS NULL THEN value || ' ' || unit
        WHEN unit ~ 'B$' THEN CASE
            WHEN n % 1099511627776 = 0 THEN n / 1099511627776 || 'TB' WHEN n % 1073741824 = 0 THEN n / 1073741824 || 'GB'
            WHEN n % 1048576 = 0 THEN n / 1048576 || 'MB' WHEN n % 1024 = 0 THEN n / 1024 || 'kB' ELSE n || 'B' END
        ELSE CASE
            WHEN n % 86400000000 = 0 THEN n / 86400000000 || 'd' WHEN n % 3600000000 = 0 THEN n / 3600000000 || 'h'
            WHEN n % 60000000 = 0 THEN n / 60000000 || 'min' WHEN n % 1000000 = 0 THEN n / 1000000 || 's'
            WHEN n % 1000 = 0 THEN n / 1000 || 'ms' ELSE n || 'us' END
    END;
END
$$;
COMMENT ON FUNCTION aya.shown_setting(text, text) IS 'A setting''s value as PostgreSQL''s SHOW writes it: 16384 of 8kB is 128MB.';

CREATE OR REPLACE FUNCTION aya.was_heard_of(node integer, of_section text, spoke text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM public.change_log l
        WHERE l.node_id = node AND l.section = of_section
            AND (spoke IS NULL OR l.source = spoke OR l.action = 'first load' AND l.new_value -> 'sources' ? spoke)
    );
END;
COMMENT ON FUNCTION aya.was_heard_of(integer, text, text) IS 'Whether a collector (NULL: any) has ever told anything of that section of a node.';

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
    old_json text; new_json text; metadata text; row_state text; said text;
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

        -- What is compared: every column of state, and of a node's metadata every key but `observed`. What did not change costs only the
        -- comparing: the JSON of the rest is put together as text.
        SELECT
            string_agg(format('CASE WHEN o.%1$I IS DISTINCT FROM r.%1$I THEN ''"%1$s":'' || coalesce(to_json(o.%1$I)::text, ''null'') END', s), ', '),
            string_agg(format('CASE WHEN o.%1$I IS DISTINCT FROM r.%1$I THEN ''"%1$s":'' || coalesce(to_json(r.%1$I)::text, ''null'') END', s), ', '),
            string_agg(format('CASE WHEN o.%1$I IS DISTINCT FROM r.%1$I THEN ', s) || CASE
                -- The value of a setting is what a change of it is about; any other column is named.
                WHEN s IN ('setting_value', 'pending_value') AND t.table_name = 'postgresql_configuration' THEN
                    format('%2$L || CASE WHEN r.setting_unit IS NULL AND o.%1$I <> '''' AND r.%1$I <> '''' THEN left(o.%1$I, 80) || '' -> '' || left(r.%1$I, 80) '
                        'ELSE aya.shown_setting(o.%1$I, o.setting_unit) || '' -> '' || aya.shown_setting(r.%1$I, r.setting_unit) END',
                        s, CASE s WHEN 'pending_value' THEN 'pending ' ELSE '' END)
                WHEN s = 'metadata' THEN '''metadata'''
                ELSE format('''%1$s '' || coalesce(left(o.%1$I::text, 80), ''nothing'') || '' -> '' || coalesce(left(r.%1$I::text, 80), ''nothing'')', s)
            END || ' END', ', ') FILTER (WHERE s <> 'source')
        INTO old_json, new_json, said
        FROM unnest(states) AS s
        WHERE NOT (is_node AND s = 'metadata');
        IF is_node THEN
            said := said || ', m.said';
            metadata := $f$
            CROSS JOIN LATERAL (
                SELECT
                    CASE WHEN (o.metadata IS NULL) <> (r.metadata IS NULL)
                        THEN jsonb_build_object('metadata', CASE WHEN o.metadata IS NULL THEN 'null' ELSE '{}' END::jsonb) ELSE '{}' END
                        || coalesce(jsonb_object_agg('metadata.' || k.key, o.metadata -> k.key) FILTER (WHERE o.metadata ? k.key), '{}'),
                    CASE WHEN (o.metadata IS NULL) <> (r.metadata IS NULL)
                        THEN jsonb_build_object('metadata', CASE WHEN r.metadata IS NULL THEN 'null' ELSE '{}' END::jsonb) ELSE '{}' END
                        || coalesce(jsonb_object_agg('metadata.' || k.key, r.metadata -> k.key) FILTER (WHERE r.metadata ? k.key), '{}'),
                    string_agg('metadata.' || k.key, ', ' ORDER BY k.key)
                FROM (SELECT jsonb_object_keys(o.metadata - 'observed') UNION SELECT jsonb_object_keys(r.metadata - 'observed')) AS k (key)
                WHERE (o.metadata -> k.key) IS DISTINCT FROM (r.metadata -> k.key)
            ) AS m (old, new, said)$f$;
        ELSE
            metadata := '';
        END IF;
        old_json := format('(''{'' || concat_ws('','', %s) || ''}'')::jsonb', old_json) || CASE WHEN is_node THEN ' || m.old' ELSE '' END;
        new_json := format('(''{'' || concat_ws('','', %s) || ''}'')::jsonb', new_json) || CASE WHEN is_node THEN ' || m.new' ELSE '' END;
        row_state := format('%s - ARRAY[''id'', ''updated_at''] - %L::text[]',
            CASE WHEN is_node THEN 'aya.flat(to_jsonb(r))' ELSE 'to_jsonb(r)' END, t.observations);

        EXECUTE format($f$
CREATE OR REPLACE FUNCTION aya.log_%1$s() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A plan made while the transition tables were empty would cost the square of the rows for ever.
SET enable_nestloop = off
SET enable_mergejoin = off
SET work_mem = '64MB'
-- What is logged must not depend on who writes.
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $body$
DECLARE
    -- What the recorder says of its runs: {"NODE": {"run": …, "seen": …, "owners": {"cpu_model": "cpu", …}}}.
    runs jsonb := coalesce(nullif(current_setting('aya.runs', true), ''), '{}');
    actor text := aya.actor();
    reason text := nullif(current_setting('aya.reason', true), '');
BEGIN
    IF tg_op = 'UPDATE' THEN
        WITH changed AS (
            SELECT r.id, r.%4$s AS node_id, %5$s AS source, %6$s AS fact,
                %7$s || coalesce(%8$s, ' ' || nullif(concat_ws(', ', %9$s), ''), '') AS description, %10$s AS old, %12$s AS new
            FROM old_rows o
            JOIN new_rows r USING (id)%11$s
            OFFSET 0  -- each row is put together once
        ), spoke AS MATERIALIZED (
            -- What is the same for all rows of a collector on a node.
            SELECT s.node_id, s.source, sn.node_name, run.number, run.seen, aya.last_look(s.node_id, s.source, run.number) AS last_look
            FROM (SELECT DISTINCT r.%4$s AS node_id, %5$s AS source FROM new_rows r) s
            LEFT JOIN public.system_nodes sn ON sn.id = s.node_id
            CROSS JOIN LATERAL (
                SELECT (runs -> s.node_id::text ->> 'run')::bigint, coalesce((runs -> s.node_id::text ->> 'seen')::timestamptz, now())
            ) AS run (number, seen)
        )
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, new_value, changed_by, change_reason, run_id, happened_after, happened_before, verification_status)
        SELECT c.node_id, s.node_name, %2$L, c.source, %3$L, %1$L, c.id, c.fact, 'update',
            c.description || CASE WHEN %13$L = 'system_nodes' THEN '' ELSE coalesce(' on ' || s.node_name, '') END, c.old, c.new, actor, reason, s.number,
            CASE WHEN at.last_look <= s.seen THEN at.last_look END, s.seen, 'pending'
        FROM changed c
        JOIN spoke s ON coalesce(s.node_id, 0) = coalesce(c.node_id, 0) AND coalesce(s.source, '') = coalesce(c.source, '')
        CROSS JOIN LATERAL (SELECT %14$s) AS at (last_look)
        WHERE c.old <> '{}' OR c.new <> '{}';
    ELSIF tg_op = 'INSERT' THEN
        WITH loads AS (
            -- Where nothing was known of a section, its rows say what is, not what changed; so do many rows of a new source. A single row
            -- by hand is told as such.
            SELECT g.node_id, g.source, g.rows, g.records
            FROM (
                SELECT r.%4$s AS node_id, %5$s AS source, count(*) AS rows, range_agg(int8range(r.id, r.id, '[]')) AS records
                FROM new_rows r
                WHERE %13$L <> 'system_nodes' AND r.%4$s IS NOT NULL
                GROUP BY 1, 2
            ) g
            WHERE (g.source IS NOT NULL OR g.rows > 1)
                AND (NOT aya.was_heard_of(g.node_id, %2$L, NULL) OR g.rows > 1 AND NOT aya.was_heard_of(g.node_id, %2$L, g.source))
        ), fresh AS (
            SELECT r.id, r.%4$s AS node_id, %5$s AS source, %6$s AS fact, %7$s AS label,
                aya.known(%15$s) AS row,
                aya.last_look(r.%4$s, %5$s, (runs -> r.%4$s::text ->> 'run')::bigint) AS last_seen
            FROM new_rows r
            WHERE NOT EXISTS (SELECT FROM loads l WHERE l.node_id = r.%4$s AND coalesce(l.source, '') = coalesce(%5$s, ''))
        ), logged AS (
            SELECT NULL::bigint AS record_id, l.node_id, CASE count(*) WHEN 1 THEN min(l.source) END AS source, NULL::text AS fact,
                'first load' AS action, range_agg(l.records) AS records,
                format('%%s %%s first recorded', sum(l.rows), %2$L) AS description,
                jsonb_build_object('rows', sum(l.rows), 'sources', jsonb_object_agg(coalesce(l.source, 'by hand'), l.rows)) AS new,
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
            actor, reason, (runs -> x.node_id::text ->> 'run')::bigint,
            CASE WHEN x.last_seen <= at.seen THEN x.last_seen END, at.seen, 'pending'
        FROM logged x
        LEFT JOIN public.system_nodes sn ON sn.id = x.node_id
        CROSS JOIN LATERAL (SELECT coalesce((runs -> x.node_id::text ->> 'seen')::timestamptz, now())) AS at (seen)
        ORDER BY x.record_id;
    ELSIF tg_op = 'DELETE' THEN
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, changed_by, change_reason, happened_before, verification_status)
        SELECT r.%4$s, sn.node_name, %2$L, %5$s, %3$L, %1$L, r.id, %6$s, 'delete',
            %7$s || ' was deleted' || CASE WHEN %13$L = 'system_nodes' THEN '' ELSE coalesce(' on ' || sn.node_name, '') END, %15$s, actor, reason, now(), 'pending'
        FROM old_rows r
        CROSS JOIN LATERAL (SELECT aya.name_of_node(r.%4$s)) AS sn (node_name)
        ORDER BY r.id;
    ELSE
        -- Before the rows go: a TRUNCATE has no transition table.
        INSERT INTO public.change_log (node_id, node_name, section, source, change_type, table_affected, record_id, fact, action,
            change_description, old_value, changed_by, change_reason, happened_before, verification_status)
        SELECT r.%4$s, sn.node_name, %2$L, %5$s, %3$L, %1$L, r.id, %6$s, 'delete',
            %7$s || ' was truncated away' || CASE WHEN %13$L = 'system_nodes' THEN '' ELSE coalesce(' on ' || sn.node_name, '') END, %15$s, actor, reason, now(), 'pending'
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
            said, old_json, metadata, new_json, t.table_name,                                                            -- 9 to 13
            CASE WHEN is_node
                -- Each column of a node has a collector that speaks for it; the longest interval covers all that changed.
                THEN '(SELECT CASE WHEN bool_and(look.at IS NOT NULL) THEN min(look.at) END FROM jsonb_object_keys(c.old || c.new) AS k (key) '
                    'CROSS JOIN LATERAL (SELECT aya.last_look(c.node_id, runs -> c.node_id::text -> ''owners'' ->> k.key, s.number)) AS look (at))'
                ELSE 's.last_look' END,                                                                                  -- 14
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
    -- The owner's functions write, and prune what may go: see aya.refuse_unnamed_pruning().
    IF current_user = 'aya_owner' AND (tg_op = 'INSERT' OR tg_op = 'DELETE' AND tg_table_name = 'change_log') THEN
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
