-- Who may what: the owner owns and cannot log in, the writer records, the reader reads; aya_sql reads what is public.

GRANT USAGE ON SCHEMA public, aya, past TO aya_writer, aya_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, aya, past TO aya_reader, aya_writer;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO aya_writer;
GRANT INSERT, UPDATE, DELETE ON aya.section_marks TO aya_writer;
GRANT INSERT, DELETE ON aya.probe_rows TO aya_writer;
GRANT INSERT ON aya.seals, aya.audit_keys TO aya_writer;
REVOKE INSERT ON aya.prunings FROM aya_writer;
GRANT SELECT ON SEQUENCE change_log_id_seq TO aya_reader;
GRANT USAGE ON SEQUENCE system_nodes_id_seq, collection_runs_id_seq TO aya_writer;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM aya_writer;
REVOKE INSERT ON change_log FROM aya_writer;
GRANT INSERT, UPDATE ON aya.tokens TO aya_writer;
GRANT INSERT ON aya.call_ends TO aya_writer;
GRANT INSERT, DELETE ON aya.deliveries TO aya_writer;
GRANT INSERT ON aya.embedding_models TO aya_writer;
GRANT INSERT, DELETE ON aya.embedding_cache TO aya_writer;
GRANT INSERT, UPDATE, DELETE ON aya.claims TO aya_writer;
GRANT EXECUTE ON FUNCTION aya.begin_call(text, text, inet, text, text, bytea) TO aya_writer;
-- Whoever reads may know which tokens there are, but not what could be tried against a stolen one.
REVOKE SELECT ON aya.tokens FROM aya_reader;
GRANT SELECT (id, name, prefix, scopes, node_name, created_at, created_by, expires_at, revoked_at, revoked_by, last_used_at, last_used_from)
    ON aya.tokens TO aya_reader;
GRANT INSERT, UPDATE, DELETE ON aya.chunk_sets, aya.chunked_documents TO aya_writer;
GRANT MAINTAIN ON documents, chunks TO aya_writer;
GRANT EXECUTE ON FUNCTION aya.note_common_lexemes(), aya.index_chunks(integer, text, integer), aya.drop_chunks(integer) TO aya_writer;
GRANT EXECUTE ON FUNCTION aya.note_verification(bigint, text, text) TO aya_writer;
GRANT EXECUTE ON FUNCTION aya.prune_changes(timestamptz, int8multirange, timestamptz, timestamptz, text) TO aya_writer;
GRANT EXECUTE ON FUNCTION aya.prune_observations(text, timestamptz) TO aya_writer;
REVOKE UPDATE, DELETE, TRUNCATE ON change_log, collection_runs, collection_outcomes, system_state_snapshots FROM aya_writer;
REVOKE UPDATE, DELETE, TRUNCATE ON check_results FROM aya_writer;
REVOKE EXECUTE ON FUNCTION aya.unmark_sections() FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE aya_owner IN SCHEMA public, aya GRANT SELECT ON TABLES TO aya_reader, aya_writer;

-- Of the schema aya it may call the functions, not read the tables: some hold secrets.
GRANT USAGE ON SCHEMA public, aya, past TO aya_sql;
GRANT SELECT ON ALL TABLES IN SCHEMA public, past TO aya_sql;
-- Behind the views of public and past; see aya.sql_gaps.
GRANT SELECT ON aya.sql_gaps, aya.prunings, aya.system_state_snapshots, aya.snapshot_nodes, aya.snapshot_node_ends, aya.snapshot_facts,
    aya.snapshot_fact_ends, aya.snapshot_checks, aya.claims TO aya_sql;
GRANT SELECT ON aya.chunk_sets, aya.common_lexemes TO aya_sql;
ALTER DEFAULT PRIVILEGES FOR ROLE aya_owner IN SCHEMA public GRANT SELECT ON TABLES TO aya_sql;
