"""Documents about the fleet, as files on disk are: hashed, redacted, in versions, kept in step with their copies."""
