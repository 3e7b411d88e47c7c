-- What was written, for those who keep what they have read.

CREATE TABLE aya.feed (
    node_id     integer NOT NULL,
    transaction xid8 NOT NULL,
    PRIMARY KEY (node_id, transaction)
) WITH (fillfactor = 50);
CREATE INDEX idx_feed_transaction ON aya.feed (transaction);
COMMENT ON TABLE aya.feed IS 'Which transactions last wrote something of which node. Whoever remembers the snapshot (pg_current_snapshot) in which it read finds here, exactly, of which nodes it must read again. About one row per node.';
COMMENT ON COLUMN aya.feed.node_id IS 'The node; 0 for what belongs to none, -1 when a table was emptied: then anything may have changed.';
COMMENT ON COLUMN aya.feed.transaction IS 'The transaction that wrote.';
