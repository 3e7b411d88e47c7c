-- Number the runs before anything is written, and the nodes seen for the first time, so that the log can say which run found a change:
-- the trigger reads aya.runs. `at` is the order of the given.
WITH given AS (
    SELECT g.at, g.id, g.seen, g.owners
    FROM json_to_recordset(%(nodes)s::json) AS g (at integer, id integer, seen timestamptz, owners json)
), numbered AS MATERIALIZED (
    SELECT
        g.at,
        coalesce(g.id, nextval(pg_get_serial_sequence('public.system_nodes', 'id')))::integer AS id,
        nextval(pg_get_serial_sequence('public.collection_runs', 'id')) AS run_id,
        g.seen,
        g.owners
    FROM given g
), told AS MATERIALIZED (
    SELECT set_config(
        'aya.runs', json_object_agg(n.id, json_build_object('run', n.run_id, 'seen', n.seen, 'owners', n.owners))::text, true
    ) AS runs
    FROM numbered n
)
SELECT n.id, n.run_id FROM numbered n CROSS JOIN told ORDER BY n.at
