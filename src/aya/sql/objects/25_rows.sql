-- Rows of state as flat JSON: the keys of a node's metadata are facts of their own, as "metadata.KEY"; what moves under `observed` is none.

CREATE OR REPLACE FUNCTION aya.flat(whole jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (whole - 'metadata')
    || jsonb_build_object('metadata', CASE WHEN whole -> 'metadata' = 'null' THEN 'null' ELSE '{}' END::jsonb)
    || CASE WHEN whole -> 'metadata' = 'null' THEN '{}'::jsonb ELSE (
        SELECT coalesce(jsonb_object_agg('metadata.' || m.key, m.value), '{}')
        FROM jsonb_each((whole -> 'metadata') - 'observed') m
    ) END;
COMMENT ON FUNCTION aya.flat(jsonb) IS 'A node''s row with each key of its metadata as a key "metadata.KEY" of its own, without `observed`.';

CREATE OR REPLACE FUNCTION aya.unflat(parts jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (
    SELECT coalesce(jsonb_object_agg(p.key, p.value) FILTER (WHERE p.key NOT LIKE 'metadata%'), '{}')
        || jsonb_build_object('metadata', CASE WHEN parts -> 'metadata' = 'null' THEN 'null'::jsonb ELSE
            coalesce(jsonb_object_agg(substr(p.key, 10), p.value) FILTER (WHERE p.key LIKE 'metadata.%'), '{}') END)
    FROM jsonb_each(parts) p
);
COMMENT ON FUNCTION aya.unflat(jsonb) IS 'The row of which aya.flat gave these parts.';

CREATE OR REPLACE FUNCTION aya.known(whole jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_object_agg(e.key, e.value) FILTER (WHERE e.value <> 'null'), '{}') FROM jsonb_each(whole) e);
COMMENT ON FUNCTION aya.known(jsonb) IS 'A row without the columns that are NULL; what is inside a column stays as it is.';

CREATE OR REPLACE FUNCTION aya.name_of_node(node integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT n.node_name FROM public.system_nodes n WHERE n.id = node),
        (SELECT l.node_name FROM public.change_log l WHERE l.node_id = node AND l.node_name IS NOT NULL ORDER BY l.id DESC LIMIT 1)
    );
END;
COMMENT ON FUNCTION aya.name_of_node(integer) IS 'The name of a node, also of one that is gone: then the log remembers it.';
