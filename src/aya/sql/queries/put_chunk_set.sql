-- Begin the set of a model, unless there is one; where none is searched yet, it is.
WITH first AS (
    SELECT NOT EXISTS (SELECT FROM aya.chunk_sets WHERE is_active) AS is_first
)
INSERT INTO aya.chunk_sets (model_id, dimensions, is_active, activated_at)
SELECT %(model)s::bigint, %(dimensions)s::integer, is_first, CASE WHEN is_first THEN now() END FROM first
ON CONFLICT DO NOTHING
RETURNING id
