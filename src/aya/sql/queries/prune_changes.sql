-- Take changes out of the log, with the signed statement of it.
SELECT aya.prune_changes(%(before)s, %(changes)s::int8multirange, %(complete_since)s, %(pruned_at)s, %(note)s) AS pruned
