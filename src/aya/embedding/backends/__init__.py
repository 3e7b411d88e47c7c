"""What runs a model, one file each: discovered, and chosen by `AYA_EMBEDDING_BACKEND`."""
