-- Snapshots: how a document is stored, put together again, and judged. Canonical text is never taken apart further than to its facts, so
-- what is given back is what was hashed.

CREATE OR REPLACE FUNCTION aya.snapshot_nodes_of(snapshot bigint) RETURNS SETOF aya.snapshot_nodes
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT n.*
    FROM aya.snapshot_nodes n
    LEFT JOIN aya.snapshot_node_ends e ON e.snapshot_node_id = n.id
    WHERE n.first_snapshot <= snapshot AND (e.before_snapshot IS NULL OR e.before_snapshot > snapshot);
END;
COMMENT ON FUNCTION aya.snapshot_nodes_of(bigint) IS 'The nodes of a snapshot, with the hashes of their states.';

CREATE OR REPLACE FUNCTION aya.snapshot_facts_of(snapshot bigint) RETURNS SETOF aya.snapshot_facts
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT f.*
    FROM aya.snapshot_facts f
    LEFT JOIN aya.snapshot_fact_ends e ON e.fact_id = f.id
    WHERE f.first_snapshot <= snapshot AND (e.before_snapshot IS NULL OR e.before_snapshot > snapshot);
END;
COMMENT ON FUNCTION aya.snapshot_facts_of(bigint) IS 'The facts of a snapshot.';

CREATE OR REPLACE FUNCTION aya.is_state(document json) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(json_typeof(document) = 'object' AND document ->> 'kind' = 'aya.state', false);
COMMENT ON FUNCTION aya.is_state(json) IS 'Whether a document is a state document, whose nodes are stored by their facts; any other is stored as it is.';

CREATE OR REPLACE FUNCTION aya.state_text(envelope text, snapshot bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
SET work_mem = '64MB'
BEGIN ATOMIC
    WITH filled AS (
        SELECT f.node_name, f.section,
            string_agg(aya.canonical_string(f.key) || ':' || f.body, ',' ORDER BY aya.canonical_key(f.key)) AS body
        FROM aya.snapshot_facts_of(snapshot) f
        GROUP BY f.node_name, f.section
    ), whole AS (
        SELECT n.node_name,
            string_agg(aya.canonical_string(s.section) || ':{' || coalesce(f.body, '') || '}', ',' ORDER BY aya.canonical_key(s.section)) AS body
        FROM aya.snapshot_nodes_of(snapshot) n
        LEFT JOIN LATERAL unnest(n.sections) AS s (section) ON true
        LEFT JOIN filled f ON f.node_name = n.node_name AND f.section = s.section
        GROUP BY n.node_name
    ), parts AS (
        SELECT e.key, e.value::text AS value FROM json_each(envelope::json) e
        UNION ALL
        SELECT 'nodes', '{' || coalesce(string_agg(aya.canonical_string(w.node_name) || ':{' || coalesce(w.body, '') || '}', ','
            ORDER BY aya.canonical_key(w.node_name)), '') || '}'
        FROM whole w
    )
    SELECT CASE WHEN aya.is_state(envelope::json)
        THEN (SELECT '{' || string_agg(aya.canonical_string(p.key) || ':' || p.value, ',' ORDER BY aya.canonical_key(p.key)) || '}' FROM parts p)
        ELSE envelope END;
END;
COMMENT ON FUNCTION aya.state_text(text, bigint) IS 'A document as canonical JSON, put together from its envelope and the facts of a snapshot.';

CREATE OR REPLACE FUNCTION aya.snapshot_text(snapshot bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT aya.state_text(s.envelope, s.id) FROM aya.system_state_snapshots s WHERE s.id = snapshot;
END;
COMMENT ON FUNCTION aya.snapshot_text(bigint) IS 'The document of a snapshot as canonical JSON: the text that was hashed.';

CREATE OR REPLACE FUNCTION aya.snapshot_nodes_text(snapshot bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT '{' || coalesce(string_agg(aya.canonical_string(n.node_name) || ':' || aya.canonical_string(n.state_hash), ','
        ORDER BY aya.canonical_key(n.node_name)), '') || '}'
    FROM aya.snapshot_nodes_of(snapshot) n;
END;
COMMENT ON FUNCTION aya.snapshot_nodes_text(bigint) IS 'The nodes of a snapshot and the hashes of their states as canonical JSON.';

CREATE OR REPLACE FUNCTION aya.snapshot_checks_text(snapshot bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
BEGIN ATOMIC
    -- Columns that are NULL are left out, so that one that is added later changes no hash.
    SELECT '[' || coalesce(string_agg(
        aya.canonical(aya.known(to_jsonb(c) - ARRAY['id', 'node_id', 'snapshot_id']) || jsonb_build_object('node_name', k.node_name)), ','
        ORDER BY k.node_name COLLATE "C", c.check_name COLLATE "C", c.target COLLATE "C", c.id), '') || ']'
    FROM aya.snapshot_checks k
    JOIN public.check_results c ON c.id = k.result_id
    WHERE k.snapshot_id = snapshot;
END;
COMMENT ON FUNCTION aya.snapshot_checks_text(bigint) IS 'The results that vouch for a snapshot as a canonical JSON array, each with all that is known of it but its numbers in this database.';

CREATE OR REPLACE FUNCTION aya.status_word(passed bigint, failed bigint, reasons jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN failed > 0 THEN 'failed' WHEN passed = 0 THEN 'unverified' WHEN reasons <> '[]' THEN 'partial' ELSE 'verified' END;
COMMENT ON FUNCTION aya.status_word(bigint, bigint, jsonb) IS 'The verification_status of a snapshot, given how many results passed and failed, and what could not be looked at.';

CREATE OR REPLACE FUNCTION aya.snapshot_proof(
    snapshot bigint, at_change bigint, OUT passed bigint, OUT failed bigint, OUT skipped bigint, OUT reasons jsonb
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
BEGIN ATOMIC
    WITH results AS (
        SELECT k.node_name, c.check_name, c.target, c.outcome, c.reason,
            coalesce(c.state_hash = n.state_hash AND c.change_number <= at_change, false) AS of_this_state
        FROM aya.snapshot_checks k
        JOIN public.check_results c ON c.id = k.result_id
        LEFT JOIN aya.snapshot_nodes_of(snapshot) n ON n.node_name = k.node_name
        WHERE k.snapshot_id = snapshot
    ), missing AS (
        SELECT 'check' AS what, r.node_name, r.check_name AS name, r.target,
            CASE WHEN r.outcome = 'skipped' THEN coalesce(r.reason, 'it was skipped') ELSE 'it did not run on this very state' END AS reason
        FROM results r
        WHERE r.outcome = 'skipped' OR r.outcome = 'pass' AND NOT r.of_this_state
        UNION ALL
        SELECT 'node', n.node_name, n.node_name, '', 'no check passed on this state'
        FROM aya.snapshot_nodes_of(snapshot) n
        WHERE NOT EXISTS (SELECT FROM results r WHERE r.node_name = n.node_name AND r.outcome = 'pass' AND r.of_this_state)
    )
    SELECT
        (SELECT count(*) FROM results r WHERE r.outcome = 'pass'),
        (SELECT count(*) FROM results r WHERE r.outcome = 'fail'),
        (SELECT count(*) FROM results r WHERE r.outcome = 'skipped'),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('what', m.what, 'node', m.node_name, 'name', m.name, 'target', m.target, 'reason', m.reason)
            ORDER BY m.node_name COLLATE "C", m.what, m.name COLLATE "C", m.target COLLATE "C"), '[]') FROM missing m);
END;
COMMENT ON FUNCTION aya.snapshot_proof(bigint, bigint) IS 'What the results that hang on a snapshot show: counts, and what no check could look at. A pass vouches only for its own state, not newer than the change named.';

CREATE OR REPLACE FUNCTION aya.collectors_short(snapshot bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
BEGIN ATOMIC
    SELECT coalesce(jsonb_agg(jsonb_build_object('what', 'collector', 'node', n.node_name, 'name', o.collector, 'target', o.target,
        'reason', o.outcome || coalesce(': ' || o.reason, '')) ORDER BY n.node_name COLLATE "C", o.collector, o.target), '[]')
    FROM aya.snapshot_nodes_of(snapshot) n
    JOIN public.system_nodes s ON s.node_name = n.node_name
    JOIN (SELECT r.node_id, max(r.id) AS id FROM public.collection_runs r GROUP BY r.node_id) newest ON newest.node_id = s.id
    JOIN public.collection_outcomes o ON o.run_id = newest.id
    WHERE o.outcome IN ('denied', 'unreadable', 'failed');
END;
COMMENT ON FUNCTION aya.collectors_short(bigint) IS 'Of the nodes of a snapshot, the collectors that could not look at everything in the newest run.';

CREATE OR REPLACE FUNCTION aya.snapshot_manifest(taken aya.system_state_snapshots) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
RETURN aya.known(to_jsonb(taken) - ARRAY['envelope', 'logged_change']);
COMMENT ON FUNCTION aya.snapshot_manifest(aya.system_state_snapshots) IS 'What is logged of a snapshot: every column but the envelope, which the hash of the state covers, and the number of the change itself.';

CREATE OR REPLACE VIEW system_state_snapshots AS
SELECT
    s.id,
    s.snapshot_name,
    s.snapshot_type,
    s.description,
    s.verification_status,
    s.tests_passed,
    s.tests_failed,
    s.tests_skipped,
    s.test_report_url,
    s.schema_version,
    aya.snapshot_text(s.id)::jsonb AS state_json,
    convert_to(aya.snapshot_text(s.id), 'UTF8') AS state_canonical,
    s.state_hash,
    s.created_by,
    s.created_at,
    s.partial_reasons,
    s.state_bytes,
    s.nodes_hash,
    s.checks_hash,
    s.change_number,
    s.logged_change
FROM aya.system_state_snapshots s;
COMMENT ON VIEW system_state_snapshots IS 'The complete state of all nodes at one moment, with its hash and the outcome of its checks. Insert name and state_json (or state_canonical); nothing is ever changed.';
COMMENT ON COLUMN system_state_snapshots.state_json IS 'The state document, put together when it is asked for.';
COMMENT ON COLUMN system_state_snapshots.state_canonical IS 'The same as RFC 8785 canonical JSON, UTF-8: the bytes that were hashed.';

DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT a.attname, col_description(a.attrelid, a.attnum) AS said
        FROM pg_attribute a
        JOIN pg_attribute v ON v.attrelid = 'public.system_state_snapshots'::regclass AND v.attname = a.attname
        WHERE a.attrelid = 'aya.system_state_snapshots'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN public.system_state_snapshots.%I IS %L', c.attname, c.said);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION aya.store_snapshot() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
SET enable_nestloop = off
SET work_mem = '64MB'
AS $$
DECLARE
    taken aya.system_state_snapshots;
    previous aya.system_state_snapshots;
    document text;
    parsed json;
    is_state boolean;
    proof record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a snapshot is taken in a transaction of isolation READ COMMITTED, which sees the snapshots before it'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('aya.snapshot', 0));
    SELECT * INTO previous FROM aya.system_state_snapshots s ORDER BY s.id DESC LIMIT 1;

    document := coalesce(convert_from(NEW.state_canonical, 'UTF8'), aya.canonical(NEW.state_json));
    IF document IS NULL THEN
        RAISE EXCEPTION 'a snapshot needs its state_json' USING ERRCODE = 'not_null_violation';
    ELSIF NEW.state_json IS NOT NULL AND NEW.state_canonical IS NOT NULL AND NEW.state_json <> document::jsonb THEN
        RAISE EXCEPTION 'state_json and state_canonical are two documents; one of them is enough' USING ERRCODE = 'check_violation';
    END IF;
    parsed := document::json;
    is_state := aya.is_state(parsed);

    IF NEW.id <= previous.id THEN
        RAISE EXCEPTION 'snapshot % cannot come before snapshot %: leave the number out', NEW.id, previous.id USING ERRCODE = 'check_violation';
    END IF;
    taken.id := coalesce(NEW.id, nextval('aya.system_state_snapshots_id_seq'));
    IF NEW.id IS NOT NULL THEN
        PERFORM setval('aya.system_state_snapshots_id_seq', NEW.id);
    END IF;
    taken.snapshot_name := NEW.snapshot_name;
    taken.snapshot_type := NEW.snapshot_type;
    taken.description := NEW.description;
    taken.test_report_url := NEW.test_report_url;
    taken.created_by := coalesce(NEW.created_by, aya.actor());
    taken.created_at := coalesce(NEW.created_at, now());
    taken.change_number := NEW.change_number;
    taken.schema_version := coalesce(NEW.schema_version,
        CASE WHEN is_state AND parsed ->> 'schema_version' ~ '^\d{1,9}$' THEN (parsed ->> 'schema_version')::integer END, 1);
    taken.state_bytes := octet_length(document);
    taken.state_hash := aya.sha256_hex(document);
    IF NEW.state_hash <> taken.state_hash THEN
        RAISE EXCEPTION 'the hash of the document is %, not %', taken.state_hash, NEW.state_hash USING ERRCODE = 'check_violation';
    END IF;

    IF taken.state_hash = previous.state_hash THEN
        taken.envelope := previous.envelope;
    ELSE
        IF NOT is_state THEN
            taken.envelope := document;
        ELSIF json_typeof(parsed -> 'nodes') IS DISTINCT FROM 'object' THEN
            RAISE EXCEPTION 'the document is of the kind aya.state, but its nodes are no object' USING ERRCODE = 'check_violation';
        ELSE
            SELECT '{' || string_agg(aya.canonical_string(e.key) || ':' || e.value::text, ',' ORDER BY aya.canonical_key(e.key)) || '}'
            INTO taken.envelope
            FROM json_each(parsed) e
            WHERE e.key <> 'nodes';
        END IF;
        PERFORM aya.store_nodes(taken.id, CASE WHEN is_state THEN parsed -> 'nodes' ELSE '{}' END);
        IF document <> (CASE WHEN is_state THEN aya.state_text(taken.envelope, taken.id) ELSE aya.canonical(document::jsonb) END) THEN
            RAISE EXCEPTION 'state_canonical is not RFC 8785 canonical JSON' USING ERRCODE = 'check_violation',
                HINT = 'Insert the document as state_json: the canonical form is then made here.';
        END IF;
    END IF;
    taken.nodes_hash := aya.sha256_hex(aya.snapshot_nodes_text(taken.id));

    -- Of each check on each thing the newest result that is of this very state, with no change of the node logged since, as a state can be
    -- the same again; and what was already said to be of this snapshot.
    WITH candidate AS MATERIALIZED (
        SELECT n.node_name, c.id, c.node_id, c.check_name, c.target, c.snapshot_id, c.change_number
        FROM aya.snapshot_nodes_of(taken.id) n
        JOIN public.system_nodes s ON s.node_name = n.node_name AND s.origin IS NULL
        JOIN public.check_results c ON c.node_id = s.id
        WHERE c.state_hash = n.state_hash AND c.change_number <= taken.change_number OR c.snapshot_id = taken.id
    ), changed AS (
        SELECT l.node_id, max(l.id) AS id
        FROM public.change_log l
        WHERE l.id > (SELECT min(c.change_number) FROM candidate c) AND l.id <= taken.change_number AND l.action <> 'note'
        GROUP BY l.node_id
    )
    INSERT INTO aya.snapshot_checks (snapshot_id, node_name, result_id)
    SELECT DISTINCT ON (c.node_name, c.check_name, c.target) taken.id, c.node_name, c.id
    FROM candidate c
    LEFT JOIN changed l USING (node_id)
    WHERE l.id IS NULL OR l.id <= c.change_number OR c.snapshot_id = taken.id
    ORDER BY c.node_name, c.check_name, c.target, c.id DESC;

    SELECT * INTO proof FROM aya.snapshot_proof(taken.id, taken.change_number);
    taken.tests_passed := proof.passed;
    taken.tests_failed := proof.failed;
    taken.tests_skipped := proof.skipped;
    -- Where nothing passed, everything could be named.
    taken.partial_reasons := CASE WHEN proof.passed = 0 THEN '[]' ELSE proof.reasons || aya.collectors_short(taken.id) END;
    taken.verification_status := aya.status_word(proof.passed, proof.failed, taken.partial_reasons);
    taken.checks_hash := aya.sha256_hex(aya.snapshot_checks_text(taken.id));
    IF (coalesce(NEW.verification_status, taken.verification_status), coalesce(NEW.tests_passed, taken.tests_passed),
        coalesce(NEW.tests_failed, taken.tests_failed), coalesce(NEW.tests_skipped, taken.tests_skipped))
        <> (taken.verification_status, taken.tests_passed, taken.tests_failed, taken.tests_skipped) THEN
        RAISE EXCEPTION 'the checks that ran on this state make it %, with % passed, % failed, % skipped', taken.verification_status,
            taken.tests_passed, taken.tests_failed, taken.tests_skipped
            USING ERRCODE = 'check_violation', HINT = 'Leave these columns out: they are computed.';
    END IF;

    INSERT INTO public.change_log (change_type, table_affected, record_id, fact, action, change_description, new_value, changed_by,
        change_reason, verification_status)
    VALUES ('system', 'system_state_snapshots', taken.id, taken.snapshot_name, 'note',
        format('snapshot %s taken, %s', taken.snapshot_name, taken.verification_status), aya.snapshot_manifest(taken), aya.actor(),
        nullif(current_setting('aya.reason', true), ''), 'pending')
    RETURNING id INTO taken.logged_change;
    INSERT INTO aya.system_state_snapshots SELECT taken.*;
    UPDATE public.check_results c SET snapshot_id = taken.id
    FROM aya.snapshot_checks k
    WHERE k.snapshot_id = taken.id AND c.id = k.result_id AND c.snapshot_id IS NULL;

    NEW.id := taken.id;
    NEW.verification_status := taken.verification_status;
    NEW.tests_passed := taken.tests_passed;
    NEW.tests_failed := taken.tests_failed;
    NEW.tests_skipped := taken.tests_skipped;
    NEW.schema_version := taken.schema_version;
    NEW.state_hash := taken.state_hash;
    NEW.created_by := taken.created_by;
    NEW.created_at := taken.created_at;
    NEW.partial_reasons := taken.partial_reasons;
    NEW.state_bytes := taken.state_bytes;
    NEW.nodes_hash := taken.nodes_hash;
    NEW.checks_hash := taken.checks_hash;
    NEW.logged_change := taken.logged_change;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION aya.store_snapshot() IS 'Trigger: store what is inserted into system_state_snapshots: only what differs from the snapshot before, the status that its checks justify, and a row of the log that says all of it.';
REVOKE EXECUTE ON FUNCTION aya.store_snapshot() FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.store_nodes(snapshot bigint, nodes json) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- A plan that is kept must do for any number of facts.
SET enable_nestloop = off
SET enable_mergejoin = off
SET work_mem = '64MB'
AS $$
BEGIN
    IF EXISTS (SELECT FROM json_each(nodes) n WHERE json_typeof(n.value) <> 'object')
        OR EXISTS (SELECT FROM json_each(nodes) n CROSS JOIN LATERAL json_each(n.value) s WHERE json_typeof(s.value) <> 'object') THEN
        RAISE EXCEPTION 'the document is of the kind aya.state, but a node or section in it is no object' USING ERRCODE = 'check_violation';
    END IF;
    WITH given AS MATERIALIZED (
        SELECT n.key AS node_name, n.value AS state, aya.sha256_hex(n.value::text) AS state_hash FROM json_each(nodes) n
    ), known AS MATERIALIZED (
        SELECT n.id, n.node_name, n.state_hash
        FROM aya.snapshot_nodes n
        WHERE NOT EXISTS (SELECT FROM aya.snapshot_node_ends e WHERE e.snapshot_node_id = n.id)
    ), past AS MATERIALIZED (
        SELECT k.id, node_name
        FROM known k
        LEFT JOIN given g USING (node_name)
        WHERE g.state_hash IS DISTINCT FROM k.state_hash
    ), ended AS (
        INSERT INTO aya.snapshot_node_ends (snapshot_node_id, before_snapshot) SELECT p.id, snapshot FROM past p
    ), changed AS MATERIALIZED (
        SELECT node_name, g.state, g.state_hash
        FROM given g
        LEFT JOIN known k USING (node_name)
        WHERE k.state_hash IS DISTINCT FROM g.state_hash
    ), begun AS (
        INSERT INTO aya.snapshot_nodes (first_snapshot, node_name, state_hash, sections)
        SELECT snapshot, c.node_name, c.state_hash, ARRAY(SELECT json_object_keys(c.state)) FROM changed c
    ), given_facts AS MATERIALIZED (
        SELECT c.node_name, s.key AS section, f.key, f.value::text AS body
        FROM changed c
        CROSS JOIN LATERAL json_each(c.state) s
        CROSS JOIN LATERAL json_each(s.value) f
    ), known_facts AS MATERIALIZED (
        SELECT f.id, f.node_name, f.section, f.key, f.body
        FROM aya.snapshot_facts f
        WHERE f.node_name IN (SELECT p.node_name FROM past p)
            AND NOT EXISTS (SELECT FROM aya.snapshot_fact_ends e WHERE e.fact_id = f.id)
    ), ended_facts AS (
        INSERT INTO aya.snapshot_fact_ends (fact_id, before_snapshot)
        SELECT k.id, snapshot
        FROM known_facts k
        LEFT JOIN given_facts g USING (node_name, section, key)
        WHERE g.body IS DISTINCT FROM k.body
    )
    INSERT INTO aya.snapshot_facts (first_snapshot, node_name, section, key, body)
    SELECT snapshot, node_name, section, key, g.body
    FROM given_facts g
    LEFT JOIN known_facts k USING (node_name, section, key)
    WHERE k.body IS DISTINCT FROM g.body;
END
$$;
COMMENT ON FUNCTION aya.store_nodes(bigint, json) IS 'Store the nodes of a new snapshot: the facts that differ from the snapshot before begin, those that they replace end.';
REVOKE EXECUTE ON FUNCTION aya.store_nodes(bigint, json) FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.refuse_changing_snapshots() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'INSERT' AND current_user = 'aya_owner' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'snapshots are neither changed nor removed: % of % is refused', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege', HINT = 'A new one is taken by an INSERT INTO system_state_snapshots, or `aya snapshot create`.';
END
$$;
COMMENT ON FUNCTION aya.refuse_changing_snapshots() IS 'Trigger: a snapshot stays as it was taken.';

CREATE OR REPLACE FUNCTION aya.prove_status() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    proof record;
    justified text;
BEGIN
    SELECT * INTO proof FROM aya.snapshot_proof(NEW.id, NEW.change_number);
    justified := aya.status_word(proof.passed, proof.failed, NEW.partial_reasons || proof.reasons);
    IF NEW.verification_status <> justified OR (NEW.tests_passed, NEW.tests_failed, NEW.tests_skipped) <> (proof.passed, proof.failed, proof.skipped)
    THEN
        RAISE EXCEPTION 'snapshot % cannot be %: the results of checks on this very state make it %', NEW.snapshot_name, NEW.verification_status, justified
            USING ERRCODE = 'check_violation', CONSTRAINT = 'status_is_proven';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION aya.prove_status() IS 'Constraint: a snapshot says of itself what the results that hang on it show, and is verified only by passes on the very states of all its nodes.';
REVOKE EXECUTE ON FUNCTION aya.prove_status() FROM PUBLIC;

CREATE OR REPLACE TRIGGER store INSTEAD OF INSERT ON system_state_snapshots FOR EACH ROW EXECUTE FUNCTION aya.store_snapshot();
CREATE OR REPLACE TRIGGER stay INSTEAD OF UPDATE OR DELETE ON system_state_snapshots FOR EACH ROW EXECUTE FUNCTION aya.refuse_changing_snapshots();
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['system_state_snapshots', 'snapshot_nodes', 'snapshot_node_ends', 'snapshot_facts', 'snapshot_fact_ends', 'snapshot_checks'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON aya.%I FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_changing_snapshots()', t);
        EXECUTE format('ALTER TABLE aya.%I ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END
$$;
-- Deferred: the results hang on the snapshot once it is there.
DROP TRIGGER IF EXISTS status_is_proven ON aya.system_state_snapshots;
CREATE CONSTRAINT TRIGGER status_is_proven AFTER INSERT OR UPDATE ON aya.system_state_snapshots DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION aya.prove_status();
ALTER TABLE aya.system_state_snapshots ENABLE ALWAYS TRIGGER status_is_proven;

-- Snapshots of before migration 0005. Their checks were not tied to a state, so none of them is `verified` any more.
DO $$
DECLARE
    s record;
BEGIN
    IF to_regclass('public.snapshots_to_carry') IS NOT NULL THEN
        PERFORM set_config('aya.reason', 'carried over into the form that shares content', true);
        FOR s IN SELECT * FROM public.snapshots_to_carry ORDER BY id LOOP
            BEGIN
                INSERT INTO public.system_state_snapshots (id, snapshot_name, snapshot_type, description, test_report_url, schema_version,
                    state_json, state_canonical, state_hash, created_by, created_at)
                VALUES (s.id, s.snapshot_name, s.snapshot_type, s.description, s.test_report_url, s.schema_version,
                    CASE WHEN s.state_canonical IS NULL THEN s.state_json END, s.state_canonical, s.state_hash, s.created_by, s.created_at);
            EXCEPTION WHEN check_violation OR data_exception THEN
                RAISE EXCEPTION 'snapshot % cannot be carried over: %', s.snapshot_name, sqlerrm;
            END;
        END LOOP;
        PERFORM set_config('aya.reason', '', true);
        SET CONSTRAINTS ALL IMMEDIATE;
        ALTER TABLE public.check_results VALIDATE CONSTRAINT check_results_snapshot_id_fkey;
        DROP TABLE public.snapshots_to_carry;
    END IF;
END
$$;
