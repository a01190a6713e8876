"""What a browser asks for to stay signed in, to sign out, and to sign in by another issuer: `/auth/…`."""

from .doors import routes

__all__ = ["routes"]
