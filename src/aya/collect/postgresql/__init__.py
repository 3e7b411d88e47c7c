"""What PostgreSQL servers tell about themselves: they are found, reached, and asked by one collector after another."""
