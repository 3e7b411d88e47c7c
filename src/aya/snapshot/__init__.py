"""The complete state at one moment: canonical bytes, their hash, and what differs between two of them."""
