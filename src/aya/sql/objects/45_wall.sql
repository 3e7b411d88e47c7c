-- The wall around read-only SQL: what the role aya_sql may do beyond reading, each with the SQL that takes it away. No row: it stands.
--
-- The role owns nothing and is member of nothing, so that all it may do is what PUBLIC or itself was granted. Of functions it keeps those
-- that only compute and look: the immutable and stable ones, and the volatile ones named below.

CREATE OR REPLACE VIEW aya.sql_gaps AS
WITH me AS (
    SELECT * FROM pg_catalog.pg_roles WHERE rolname = 'aya_sql'
), harmless AS (
    -- Volatile only because their answer moves.
    SELECT unnest(ARRAY[
        'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'random', 'random_normal', 'array_sample', 'array_shuffle',
        'pg_relation_size', 'pg_table_size', 'pg_indexes_size', 'pg_total_relation_size', 'pg_database_size', 'pg_partition_tree',
        'pg_partition_ancestors', 'pg_is_in_recovery', 'pg_current_wal_lsn', 'pg_last_wal_receive_lsn', 'pg_last_wal_replay_lsn',
        'pg_last_xact_replay_timestamp', 'pg_sequence_last_value', 'pg_collation_actual_version'
    ]) AS name
), behind (name) AS (
    -- What the wall itself, the snapshots and the past are read out of. None of it holds a secret.
    VALUES ('aya.sql_gaps'), ('aya.prunings'), ('aya.system_state_snapshots'), ('aya.snapshot_nodes'), ('aya.snapshot_node_ends'),
        ('aya.snapshot_facts'), ('aya.snapshot_fact_ends'), ('aya.snapshot_checks'), ('aya.claims'),
        -- Behind aya.search().
        ('aya.chunk_sets'), ('aya.common_lexemes')
), wanted (name, value) AS (
    -- For people who come by themselves; the operation sets its own limits on top.
    VALUES
        ('default_transaction_read_only', 'on'),
        ('statement_timeout', '30s'),
        ('transaction_timeout', '60s'),
        ('idle_in_transaction_session_timeout', '60s'),
        ('lock_timeout', '2s'),
        ('client_connection_check_interval', '500ms'),
        ('work_mem', '16MB'),
        ('temp_file_limit', '256MB'),
        ('max_parallel_workers_per_gather', '0'),
        -- A hostile statement must not fill the server's log with itself.
        ('log_statement', 'none'),
        ('log_min_duration_statement', '-1'),
        ('log_min_error_statement', 'panic'),
        ('log_min_messages', 'fatal')
), setting AS (
    SELECT s.setdatabase, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting s
    JOIN me ON me.oid = s.setrole
    CROSS JOIN unnest(s.setconfig) AS c
), granted AS (
    -- What PUBLIC (0) and the role were granted on relations and columns.
    SELECT c.oid, c.relkind, n.nspname, format('%I.%I', n.nspname, c.relname) AS name, a.privilege_type, NULL::name AS column_name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN me
    CROSS JOIN aclexplode(c.relacl) AS a
    WHERE a.grantee IN (0, me.oid)
    UNION ALL
    SELECT c.oid, c.relkind, n.nspname, format('%I.%I', n.nspname, c.relname), a.privilege_type, t.attname
    FROM pg_catalog.pg_attribute t
    JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN me
    CROSS JOIN aclexplode(t.attacl) AS a
    WHERE t.attacl IS NOT NULL AND a.grantee IN (0, me.oid)
)
SELECT 'the role aya_sql does not exist' AS gap, NULL::text AS mend
WHERE NOT EXISTS (SELECT FROM me)
UNION ALL
SELECT 'the role has more attributes than LOGIN, or another limit of connections',
    'ALTER ROLE aya_sql NOSUPERUSER NOINHERIT NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 16'
FROM me
WHERE rolsuper OR rolinherit OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR rolconnlimit <> 16
UNION ALL
SELECT format('the role is member of %I', r.rolname), format('REVOKE %I FROM aya_sql', r.rolname)
FROM pg_catalog.pg_auth_members m
JOIN me ON me.oid = m.member
JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
UNION ALL
SELECT 'the role owns something: see REASSIGN OWNED BY aya_sql', NULL
FROM me
WHERE EXISTS (SELECT FROM pg_catalog.pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = me.oid AND d.deptype = 'o')
UNION ALL
SELECT format('the role''s %s is not %s', w.name, w.value), format('ALTER ROLE aya_sql SET %I = %L', w.name, w.value)
FROM me
CROSS JOIN wanted w
WHERE NOT EXISTS (SELECT FROM setting s WHERE s.setdatabase = 0 AND s.name = w.name AND s.value = w.value)
UNION ALL
SELECT format('the role has a setting of %s', s.name),
    format('ALTER ROLE aya_sql%s RESET %I', CASE WHEN d.oid IS NOT NULL THEN format(' IN DATABASE %I', d.datname) END, s.name)
FROM setting s
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE s.setdatabase <> 0 OR NOT EXISTS (SELECT FROM wanted w WHERE w.name = s.name)
UNION ALL
SELECT format('%s on the database', a.privilege_type), format('REVOKE %s ON DATABASE %I FROM PUBLIC, aya_sql', a.privilege_type, d.datname)
FROM pg_catalog.pg_database d
CROSS JOIN me
CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
WHERE d.datname = current_database() AND a.grantee IN (0, me.oid) AND a.privilege_type <> 'CONNECT'
UNION ALL
SELECT format('CREATE in the schema %I', n.nspname), format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, aya_sql', n.nspname)
FROM pg_catalog.pg_namespace n
CROSS JOIN me
CROSS JOIN aclexplode(n.nspacl) AS a
WHERE a.grantee IN (0, me.oid) AND a.privilege_type = 'CREATE'
UNION ALL
SELECT format('DO in the language %I', l.lanname),
    format('REVOKE USAGE ON LANGUAGE %1$I FROM PUBLIC, aya_sql; GRANT USAGE ON LANGUAGE %1$I TO aya_owner', l.lanname)
FROM pg_catalog.pg_language l
CROSS JOIN me
CROSS JOIN aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) AS a
WHERE l.laninline <> 0 AND l.lanpltrusted AND a.grantee IN (0, me.oid)
UNION ALL
SELECT format('%s of the parameter %s', a.privilege_type, p.parname),
    format('REVOKE %s ON PARAMETER %s FROM PUBLIC, aya_sql', a.privilege_type, p.parname)
FROM pg_catalog.pg_parameter_acl p
CROSS JOIN me
CROSS JOIN aclexplode(p.paracl) AS a
WHERE a.grantee IN (0, me.oid)
UNION ALL
SELECT format('%s on %s', g.privilege_type, g.name), format('REVOKE %s%s ON %s FROM PUBLIC, aya_sql', g.privilege_type,
    CASE WHEN g.column_name IS NOT NULL THEN format(' (%I)', g.column_name) END, CASE g.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END || g.name)
FROM granted g
WHERE g.privilege_type <> 'SELECT'
    -- What is read is the contract: public, the same in the past, and of the catalogs what PostgreSQL itself shows everybody.
    OR g.nspname NOT IN ('public', 'past', 'pg_catalog', 'information_schema') AND g.name NOT IN (SELECT b.name FROM behind b)
    OR g.nspname = 'pg_catalog' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_init_privs i
        CROSS JOIN aclexplode(i.initprivs) AS a
        WHERE i.classoid = 'pg_class'::regclass AND i.objoid = g.oid AND a.grantee = 0 AND a.privilege_type = 'SELECT'
    )
UNION ALL
SELECT format('EXECUTE on %s', f.name),
    format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, aya_sql', f.name)
        || CASE WHEN bool_or(f.grantee = 0) THEN format('; GRANT EXECUTE ON FUNCTION %s TO aya_owner, aya_writer, aya_reader', f.name) ELSE '' END
FROM (
    SELECT a.grantee, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN me
    CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE (
            p.provolatile = 'v' AND NOT (n.nspname = 'pg_catalog' AND p.proname IN (SELECT h.name FROM harmless h))
            OR p.prosecdef
            -- Said to be stable, but it takes a transaction number, reads whole schemas at once, or shows the SQL of other sessions.
            OR n.nspname = 'pg_catalog' AND p.proname ~ '^(txid_current|pg_current_xact_id|pg_stat_get_activity|pg_stat_get_backend_.*|.*_to_xml.*)$'
        )
        AND a.grantee IN (0, me.oid)
        AND p.prokind IN ('f', 'w')
        -- Such functions cannot be called from SQL.
        AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
        AND NOT 'internal'::regtype = ANY (p.proargtypes)
) f
GROUP BY f.name;
COMMENT ON VIEW aya.sql_gaps IS 'What the role of read-only SQL, aya_sql, may do beyond reading. No row: the wall stands.';
COMMENT ON COLUMN aya.sql_gaps.gap IS 'What it may do, or which limit is missing.';
COMMENT ON COLUMN aya.sql_gaps.mend IS 'The SQL by which a superuser takes it away; NULL where somebody has to decide.';
