"""What a document states, topic by topic: one file each, discovered."""
