"""The pages for people at `/auth`: signing in and up, and what the links open that are mailed."""

from .routes import routes

__all__ = ["routes"]
