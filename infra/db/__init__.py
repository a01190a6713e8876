"""The database port is SQLAlchemy itself; its two implementations are SQLite and PostgreSQL."""
