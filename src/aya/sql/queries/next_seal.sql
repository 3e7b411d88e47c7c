-- The first seal after a number; the last one is asked for by its number.
SELECT seal_number, first_leaf, tree_size, changes::text AS changes, leaf_hashes, root, frontier, horizon, sealed_at, note
FROM aya.seals
WHERE seal_number > %(after)s
ORDER BY seal_number
LIMIT 1
