-- Every table that can be read tells the feed of what was written to it: one row per transaction and node, and one notification per
-- transaction. Nobody waits for anybody: rows are only added, and older ones of the same node are removed where nobody else does so.

CREATE OR REPLACE FUNCTION aya.feed(nodes integer[]) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO aya.feed (node_id, transaction)
    SELECT n, pg_current_xact_id() FROM unnest(nodes) AS n
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        -- Whoever has not seen the older transaction has not seen this one either. Where rows that meanwhile went are an error, they stay.
        IF current_setting('transaction_isolation') = 'read committed' THEN
            DELETE FROM aya.feed f
            USING (
                SELECT o.node_id, o.transaction FROM aya.feed o
                WHERE o.node_id = ANY (nodes) AND o.transaction < pg_current_xact_id()
                FOR UPDATE SKIP LOCKED
            ) AS older
            WHERE f.node_id = older.node_id AND f.transaction = older.transaction;
        END IF;
        PERFORM pg_notify('aya_feed', '');
    END IF;
END
$$;
COMMENT ON FUNCTION aya.feed(integer[]) IS 'Tell those who keep what they read that this transaction writes something of these nodes.';
REVOKE EXECUTE ON FUNCTION aya.feed(integer[]) FROM PUBLIC;

DO $generate$
DECLARE
    node text;
    t record;
BEGIN
    -- A function for each way in which a table says whose its rows are; PostgreSQL plans it anew for each table.
    FOR node IN SELECT unnest(ARRAY['node_id', 'id', 'none']) LOOP
        EXECUTE format($f$
CREATE OR REPLACE FUNCTION aya.feed_%1$s() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    CASE tg_op
        WHEN 'INSERT' THEN PERFORM aya.feed(ARRAY(SELECT DISTINCT %2$s FROM new_rows r));
        WHEN 'DELETE' THEN PERFORM aya.feed(ARRAY(SELECT DISTINCT %2$s FROM old_rows r));
        WHEN 'UPDATE' THEN PERFORM aya.feed(ARRAY(SELECT %2$s FROM new_rows r UNION SELECT %2$s FROM old_rows r));
        ELSE PERFORM aya.feed('{-1}');
    END CASE;
    RETURN NULL;
END
$body$ $f$, node, CASE node WHEN 'none' THEN '0' ELSE format('coalesce(r.%s, 0)', node) END);
        EXECUTE format('COMMENT ON FUNCTION aya.feed_%s() IS ''Trigger: tells the feed of which nodes something was written, by the column %s.''', node, node);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION aya.feed_%s() FROM PUBLIC', node);
    END LOOP;
    FOR t IN
        SELECT format('%I.%I', n.nspname, c.relname) AS name,
            CASE
                WHEN c.oid = 'public.system_nodes'::regclass THEN 'id'
                WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'node_id' AND NOT a.attisdropped) THEN 'node_id'
                ELSE 'none'
            END AS node
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('public', 'aya') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            -- Bookkeeping that nobody is shown.
            AND c.relname NOT IN ('feed', 'section_marks', 'applied_objects', 'alembic_version')
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.feed_%s()', t.name, t.node);
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_updated AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.feed_%s()', t.name, t.node);
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION aya.feed_%s()', t.name, t.node);
        EXECUTE format('CREATE OR REPLACE TRIGGER feed_truncated AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION aya.feed_%s()', t.name, t.node);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER feed_inserted, ENABLE ALWAYS TRIGGER feed_updated, ENABLE ALWAYS TRIGGER feed_deleted, ENABLE ALWAYS TRIGGER feed_truncated', t.name);
    END LOOP;
END
$generate$;
