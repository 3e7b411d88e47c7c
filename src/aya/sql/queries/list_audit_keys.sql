-- The public keys of the log, in the order in which they were introduced.
SELECT verifier_key, first_seal, introduced_at, note FROM aya.audit_keys ORDER BY first_seal, introduced_at, verifier_key
