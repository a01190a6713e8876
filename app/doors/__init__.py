"""What the server answers besides GraphQL."""
