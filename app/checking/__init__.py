"""What `pacemark schema check` reads and shows."""
