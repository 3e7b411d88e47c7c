-- A delivery was recorded; those of more than 30 days ago are forgotten.
WITH forgotten AS (
    DELETE FROM aya.deliveries WHERE received_at < now() - interval '30 days'
)
INSERT INTO aya.deliveries (node_name, idempotency_key, body_sha256, run_id, answer)
VALUES (%(node)s, %(key)s, %(body_sha256)s, %(run_id)s, %(answer)s::jsonb)
