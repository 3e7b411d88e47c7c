"""The port of the embedding service: its own form, that of OpenAI and that of text-embeddings-inference (TEI)."""
