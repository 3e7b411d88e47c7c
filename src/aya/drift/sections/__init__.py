"""What is compared between nodes: one file for each section, discovered."""
