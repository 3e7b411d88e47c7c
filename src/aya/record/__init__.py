"""Turn a node's state into rows, in one transaction, writing only what changed."""
