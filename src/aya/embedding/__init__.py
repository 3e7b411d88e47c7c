"""The embedding service: texts to vectors, by models that are checked, batched, cached and never mixed."""
