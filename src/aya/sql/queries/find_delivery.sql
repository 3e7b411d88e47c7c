-- What was answered to a delivery of this node with that key, and to which body.
SELECT d.body_sha256, d.answer
FROM aya.deliveries d
WHERE d.node_name = %(node)s AND d.idempotency_key = %(key)s
