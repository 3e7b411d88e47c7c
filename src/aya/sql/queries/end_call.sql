-- How a call ended.
INSERT INTO aya.call_ends (call_id, outcome, duration_ms, rows, bytes)
VALUES (%(call)s, %(outcome)s, %(duration_ms)s, %(rows)s, %(bytes)s)
