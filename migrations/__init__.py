"""The database's history: one change a file, up and down on both databases."""
