-- A public key, with the statement that introduces it.
INSERT INTO aya.audit_keys (verifier_key, first_seal, note) VALUES (%(verifier_key)s, %(first_seal)s, %(note)s)
