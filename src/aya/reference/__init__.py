"""What vendors publish: chips, graphics processors, versions of operating systems; each figure with its source."""
