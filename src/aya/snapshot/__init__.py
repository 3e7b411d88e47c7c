"""The complete state at one moment: canonical bytes, their hash, who vouches for it, and what differs between two of them."""
