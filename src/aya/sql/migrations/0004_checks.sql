-- What a check ran, and which state it vouches for; and the rows that checks write to see them come back.

ALTER TABLE check_results
    ADD COLUMN probe         text,
    ADD COLUMN state_problem text,
    ADD COLUMN state_hash    text,
    ADD COLUMN change_number bigint;
ALTER TABLE check_results
    ADD CONSTRAINT check_results_state_hash_hex CHECK (state_hash ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT check_results_state_or_problem CHECK (state_hash IS NULL OR state_problem IS NULL);
COMMENT ON COLUMN check_results.probe IS 'What was run: the statement, command or other probe, readable. NULL: none could be run, or the row is older than this column.';
COMMENT ON COLUMN check_results.evidence IS 'What came back, secrets redacted: the first 2,000 characters. What the check printed stands below it.';
COMMENT ON COLUMN check_results.evidence_hash IS 'SHA-256 of all that came back, secrets redacted, as UTF-8, in hex.';
COMMENT ON COLUMN check_results.state_hash IS 'SHA-256, in hex, of the canonical state of the node that stayed the same while the checks ran. NULL: the result vouches for no state, state_problem says why.';
COMMENT ON COLUMN check_results.state_problem IS 'Why the result vouches for no state: it changed while the checks ran, or could not be read.';
COMMENT ON COLUMN check_results.change_number IS 'Newest number in change_log that the state had seen when the checks began; NULL when there was none, or the state could not be read.';

CREATE TABLE aya.probe_rows (
    token      uuid PRIMARY KEY,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE aya.probe_rows IS 'Rows that checks write, read back through another connection or on a replica, and remove. What a broken-off check left is removed by a later one.';
COMMENT ON COLUMN aya.probe_rows.token IS 'What tells the row from all others.';
COMMENT ON COLUMN aya.probe_rows.written_at IS 'When it was written.';
