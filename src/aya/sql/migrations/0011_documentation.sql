-- Where a document's file lies, whether it is still there, what was taken out of its text, and how its copies compare.

ALTER TABLE documentation_files
    ADD COLUMN node_name     text,
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN secret_lines  integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN sync_status   jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN text_problem  text;
COMMENT ON COLUMN documentation_files.node_name IS 'The node on whose disk the file is; NULL: entered by hand.';
COMMENT ON COLUMN documentation_files.missing_since IS 'When it was first seen that the file is no longer there; NULL: it was there at the last look.';
COMMENT ON COLUMN documentation_files.secret_lines IS 'Lines of the file on which a secret stands, which the text does not hold; lines count from 1.';
COMMENT ON COLUMN documentation_files.sync_status IS 'How each copy in sync_locations compared by hash at the last look: {"PATH": "same" | "differs" | the reason why that is not known}.';
COMMENT ON COLUMN documentation_files.text_problem IS 'Why the text is not kept, only the hash: binary, or too long; NULL: it is kept.';
CREATE UNIQUE INDEX idx_docs_latest_of_file ON documentation_files (node_name, file_path) WHERE is_latest AND node_name IS NOT NULL;
