-- One recorder of a node at a time: the locks are taken in the order given, which is the same for all, so that no two wait for each
-- other. What is recorded is safe on disk, whatever the server's default, and takes back no mark (see aya.unmark_sections). The rows of
-- twenty nodes are sorted and joined in memory.
SELECT
    set_config('aya.recording', 'on', true),
    set_config('synchronous_commit', 'on', true),
    set_config('work_mem', '64MB', true),
    pg_advisory_xact_lock(hashtextextended('aya.node.' || name, 0))
FROM unnest(%(names)s::text[]) AS name
