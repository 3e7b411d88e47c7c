-- What was taken out of the log, in the order in which it was.
SELECT changes::text AS changes, complete_since, pruned_at, note FROM aya.prunings ORDER BY id
