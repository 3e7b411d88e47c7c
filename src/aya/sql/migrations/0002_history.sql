-- What the log must hold so that the state of any past moment can be had back from it.

-- The log is never rewritten, so no foreign key may blank the node of a change when the node goes.
ALTER TABLE change_log
    DROP CONSTRAINT change_log_node_id_fkey,
    ADD COLUMN section         text,
    ADD COLUMN source          text,
    ADD COLUMN fact            text,
    ADD COLUMN action          text NOT NULL DEFAULT 'note'
        CHECK (action IN ('first load', 'insert', 'update', 'delete', 'note')),
    ADD COLUMN records         int8multirange,
    ADD COLUMN run_id          bigint,
    ADD COLUMN happened_after  timestamptz,
    ADD COLUMN happened_before timestamptz,
    ADD COLUMN session_role    text DEFAULT session_user,
    ADD COLUMN transaction_id  bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;

-- Every index costs every change. Rows of a log lie in the order of their time, so that block ranges do where the source document has trees.
DROP INDEX idx_change_log_type, idx_change_log_created, idx_change_log_by;
CREATE INDEX idx_change_log_type ON change_log USING brin (change_type) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX idx_change_log_created ON change_log USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX idx_change_log_by ON change_log USING brin (changed_by) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX idx_change_log_noted ON change_log (record_id, id) WHERE table_affected = 'change_log';
CREATE INDEX idx_change_log_transaction ON change_log USING brin (transaction_id) WITH (pages_per_range = 16, autosummarize = on);

COMMENT ON COLUMN change_log.section IS 'Section of the state: node, settings, services, ….';
COMMENT ON COLUMN change_log.source IS 'Collector that spoke for the row; NULL where several did, or none.';
COMMENT ON COLUMN change_log.fact IS 'What changed, readable: the parts of the row''s key, joined by " | ".';
COMMENT ON COLUMN change_log.action IS 'insert, update or delete of one row; first load: all rows of a section at once where none were before; note: said about something.';
COMMENT ON COLUMN change_log.records IS 'Of a first load: the numbers of the rows.';
COMMENT ON COLUMN change_log.run_id IS 'The collection that found it, see collection_runs; NULL for a change by hand.';
COMMENT ON COLUMN change_log.happened_after IS 'It happened after this moment: when the old value was last seen. NULL: not known.';
COMMENT ON COLUMN change_log.happened_before IS 'It happened before this moment: when the new value was first seen.';
COMMENT ON COLUMN change_log.session_role IS 'Database role of the session that wrote.';
COMMENT ON COLUMN change_log.transaction_id IS 'Transaction that wrote: rows of one transaction belong together.';
COMMENT ON COLUMN change_log.node_id IS 'Number of the node; it and node_name stay when the node is gone.';
COMMENT ON COLUMN change_log.old_value IS 'What it was: the changed columns, of a node''s metadata the changed keys as "metadata.KEY"; of a deleted row all of it.';
COMMENT ON COLUMN change_log.new_value IS 'What it became: the changed columns and keys; of a new row all that is known; of a first load how many rows of which source.';
COMMENT ON COLUMN change_log.changed_by IS 'Who changed it, or found it changed: the setting aya.actor, else the role of the session.';
COMMENT ON COLUMN change_log.change_reason IS 'Why: the setting aya.reason.';
COMMENT ON COLUMN change_log.verification_status IS 'pending when it is logged; what was found out later is a further row of the log that names this one.';
