-- Whoever records the same file of a node waits until this transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('aya.documentation ' || %(node)s || ' ' || %(path)s, 0))
