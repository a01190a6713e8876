"""What the API says in GraphQL, and how an operation is received and answered."""
