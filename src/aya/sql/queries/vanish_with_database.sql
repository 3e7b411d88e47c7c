-- The objects of a database that is gone are gone with it. Few databases are gone at a time, so they are found first: asking for
-- each object whether its database is there costs the square of the rows as long as the table was never analyzed.
WITH gone AS MATERIALIZED (
    SELECT d.node_id, d.instance, d.database_name
    FROM database_schemas d
    WHERE d.node_id = ANY (%(nodes)s) AND d.kind = 'database'
    GROUP BY d.node_id, d.instance, d.database_name
    HAVING NOT bool_or(d.is_present)
)
UPDATE database_schemas o
SET is_present = false, updated_at = now()
FROM gone g
WHERE o.node_id = g.node_id AND o.instance = g.instance AND o.database_name = g.database_name
    AND o.is_present
    AND o.kind <> 'database'
