-- What may go after a time, and the only ways by which it goes.
--
-- Of the log only updates go, and what was noted of them: the creation of a thing, its end, and the last change of each of its columns
-- stay, so that everything that is recorded keeps its provenance. Of observations the newest stay.

CREATE OR REPLACE FUNCTION aya.prunable_changes(before timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET work_mem = '64MB'
BEGIN ATOMIC
    WITH sealed AS MATERIALIZED (
        SELECT coalesce(range_agg(s.changes), '{}') AS changes FROM aya.seals s
    ), last_of_column AS MATERIALIZED (
        SELECT DISTINCT max(l.id) AS id
        FROM public.change_log l
        CROSS JOIN LATERAL jsonb_object_keys(coalesce(l.old_value, '{}') || coalesce(l.new_value, '{}')) AS k (key)
        WHERE l.action = 'update'
        GROUP BY l.table_affected, l.record_id, k.key
    ), ended AS MATERIALIZED (
        -- After its end nothing that changed before is the last.
        SELECT l.table_affected, l.record_id, max(l.id) AS id
        FROM public.change_log l
        WHERE l.action = 'delete'
        GROUP BY l.table_affected, l.record_id
    ), old AS (
        SELECT l.id, l.table_affected, l.record_id, l.action
        FROM public.change_log l CROSS JOIN sealed s
        WHERE l.created_at < before AND l.action IN ('update', 'note') AND s.changes @> l.id
    ), superseded AS MATERIALIZED (
        SELECT o.id
        FROM old o
        LEFT JOIN ended e ON e.table_affected = o.table_affected AND e.record_id = o.record_id
        LEFT JOIN last_of_column c ON c.id = o.id
        WHERE o.action = 'update' AND (e.id > o.id OR c.id IS NULL)
            -- What is still to be said of it keeps it.
            AND NOT EXISTS (
                SELECT FROM public.change_log n
                WHERE n.table_affected = 'change_log' AND n.record_id = o.id AND NOT EXISTS (SELECT FROM old p WHERE p.id = n.id)
            )
    )
    SELECT u.id FROM superseded u
    UNION ALL
    SELECT o.id
    FROM old o
    WHERE o.action = 'note' AND o.table_affected = 'change_log' AND o.record_id IS NOT NULL
        AND (EXISTS (SELECT FROM superseded u WHERE u.id = o.record_id)
            OR NOT EXISTS (SELECT FROM public.change_log l WHERE l.id = o.record_id));
END;
COMMENT ON FUNCTION aya.prunable_changes(timestamptz) IS 'Numbers of the changes logged before a moment that may be pruned: sealed updates of which each column changed again or whose thing is gone, and notes about them.';

CREATE OR REPLACE FUNCTION aya.prunable_measurements(before timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id
    FROM (
        SELECT m.id, m.measured_at, row_number() OVER (
            PARTITION BY m.node_id, m.metric_category, m.metric_name, m.test_type, m.test_conditions ORDER BY m.measured_at DESC, m.id DESC
        ) AS place
        FROM public.performance_metrics m
    ) s
    WHERE s.measured_at < before AND s.place > 1
$$;
COMMENT ON FUNCTION aya.prunable_measurements(timestamptz) IS 'Numbers of the measurements taken before a moment, but for the newest of each series.';

CREATE OR REPLACE FUNCTION aya.prunable_runs(before timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH newest AS MATERIALIZED (
        SELECT max(r.id) AS id FROM public.collection_runs r GROUP BY r.node_id
        UNION
        -- How each collector ended last, and when it last saw everything.
        SELECT unnest(ARRAY[max(r.id), max(r.id) FILTER (WHERE o.outcome IN ('ok', 'absent'))])
        FROM public.collection_outcomes o
        JOIN public.collection_runs r ON r.id = o.run_id
        GROUP BY r.node_id, o.collector, o.target
    )
    SELECT r.id FROM public.collection_runs r
    WHERE r.recorded_at < before AND NOT EXISTS (SELECT FROM newest n WHERE n.id = r.id);
END;
COMMENT ON FUNCTION aya.prunable_runs(timestamptz) IS 'Numbers of the collection runs recorded before a moment, but for the newest of each node, and for those that say how a collector ended last or when it last saw everything.';

CREATE OR REPLACE FUNCTION aya.prunable_checks(before timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id
    FROM (
        SELECT c.id, c.started_at, c.snapshot_id, row_number() OVER (
            PARTITION BY c.node_id, c.check_name, c.target ORDER BY c.id DESC
        ) AS place
        FROM public.check_results c
    ) s
    WHERE s.started_at < before AND s.snapshot_id IS NULL AND s.place > 1
$$;
COMMENT ON FUNCTION aya.prunable_checks(timestamptz) IS 'Numbers of the check results from before a moment that no snapshot rests on, but for the newest of each check and thing.';

CREATE OR REPLACE FUNCTION aya.note_pruning(of_table text, pruned bigint, before timestamptz, said jsonb) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO public.change_log (change_type, table_affected, fact, action, change_description, new_value, changed_by, change_reason,
        verification_status)
    VALUES ('system', of_table, 'retention', 'note', format('%s rows of %s from before %s were pruned', pruned, of_table, before AT TIME ZONE 'UTC' || ' UTC'),
        jsonb_build_object('rows', pruned, 'before', before) || said, aya.actor(), nullif(current_setting('aya.reason', true), ''), 'pending');
END;
COMMENT ON FUNCTION aya.note_pruning(text, bigint, timestamptz, jsonb) IS 'Log that rows were pruned.';
REVOKE EXECUTE ON FUNCTION aya.note_pruning(text, bigint, timestamptz, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.prune_changes(before timestamptz, pruned int8multirange, complete_since timestamptz, at timestamptz, note text)
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted bigint := (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(pruned) AS r);
    number bigint;
BEGIN
    IF wanted = 0 OR wanted <> (SELECT count(*) FROM aya.prunable_changes(before) AS p (id) WHERE pruned @> p.id) THEN
        RAISE EXCEPTION 'not every one of these changes may be pruned' USING ERRCODE = 'insufficient_privilege',
            HINT = 'aya.prunable_changes() lists those that may.';
    END IF;
    INSERT INTO aya.prunings (changes, pruned_at, complete_since, note)
    VALUES (pruned, at, complete_since, note)
    RETURNING id INTO number;
    DELETE FROM public.change_log l WHERE l.id BETWEEN lower(pruned) AND upper(pruned) AND pruned @> l.id;
    PERFORM aya.note_pruning('change_log', wanted, before, jsonb_build_object('pruning', number, 'complete_since', complete_since));
    RETURN wanted;
END
$$;
COMMENT ON FUNCTION aya.prune_changes(timestamptz, int8multirange, timestamptz, timestamptz, text) IS 'Take changes out of the log, all of which aya.prunable_changes(before) must list, with the signed statement of it; that is itself logged. Their hashes stay in the seals. Returns how many.';
REVOKE EXECUTE ON FUNCTION aya.prune_changes(timestamptz, int8multirange, timestamptz, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.prune_observations(kind text, before timestamptz) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_table text := CASE kind WHEN 'measurements' THEN 'performance_metrics' WHEN 'runs' THEN 'collection_runs' WHEN 'checks' THEN 'check_results' END;
    pruned bigint;
BEGIN
    IF of_table IS NULL THEN
        RAISE EXCEPTION '% is no kind of observation that can be pruned', kind USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DELETE FROM public.%I WHERE id IN (SELECT aya.prunable_%s($1))', of_table, kind) USING before;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    IF pruned > 0 THEN
        PERFORM aya.note_pruning(of_table, pruned, before, '{}');
    END IF;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION aya.prune_observations(text, timestamptz) IS 'Delete old measurements, runs or checks: what aya.prunable_KIND(before) lists; that is itself logged. Returns how many.';
REVOKE EXECUTE ON FUNCTION aya.prune_observations(text, timestamptz) FROM PUBLIC;

-- The owner of the log may take rows out of it, but only those that a pruning names.
CREATE OR REPLACE FUNCTION aya.refuse_unnamed_pruning() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_user = 'aya_owner' AND EXISTS (
        SELECT FROM old_rows o
        WHERE NOT (SELECT coalesce(range_agg(p.changes), '{}') FROM aya.prunings p) @> o.id
    ) THEN
        RAISE EXCEPTION 'a change that no pruning names stays in the log' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION aya.refuse_unnamed_pruning() IS 'Trigger: of the log only rows go that a pruning names.';
CREATE OR REPLACE TRIGGER pruned_only AFTER DELETE ON change_log REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_unnamed_pruning();
ALTER TABLE change_log ENABLE ALWAYS TRIGGER pruned_only;
