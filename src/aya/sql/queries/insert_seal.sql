-- A seal, next to the last one.
INSERT INTO aya.seals (seal_number, first_leaf, tree_size, changes, leaf_hashes, root, frontier, horizon, sealed_at, note)
VALUES (
    %(seal_number)s, %(first_leaf)s, %(tree_size)s, %(changes)s::int8multirange, %(leaf_hashes)s, %(root)s, %(frontier)s, %(horizon)s,
    %(sealed_at)s, %(note)s)
