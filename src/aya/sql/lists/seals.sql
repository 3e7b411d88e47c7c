-- Seals of the log of changes, newest first.
-- path: /audit/seals
-- order: -seal_number
SELECT s.seal_number, s.first_leaf, s.tree_size, s.changes, s.root, s.sealed_at, s.note
FROM aya.seals s
WHERE %(nodes)s::text[] IS NULL
