-- Some vectors of a set, spread over all of it.
SELECT c.embedding::text AS embedding
FROM (
    SELECT c.id, row_number() OVER (ORDER BY c.id) AS place, count(*) OVER () AS n FROM chunks c WHERE c.set_id = %(set)s AND c.embedding IS NOT NULL
) p
JOIN chunks c ON c.id = p.id
WHERE p.place %% greatest(p.n / %(count)s, 1) = 0
ORDER BY p.place
LIMIT %(count)s
