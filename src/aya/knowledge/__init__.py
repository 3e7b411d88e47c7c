"""The knowledge base: documents in chunks, found by meaning and by words."""
