"""What the product knows and does; no framework but SQLAlchemy's statements and tables."""
