"""How nodes differ from one another, and from what they should be."""
