-- Since when the log is complete, so that a past before that is refused instead of given back wrong.

ALTER TABLE aya.prunings ADD COLUMN complete_since timestamptz NOT NULL;
COMMENT ON COLUMN aya.prunings.complete_since IS 'From this moment on nothing of the log was taken out by it: the latest of its changes, and of those before them, was logged then.';
