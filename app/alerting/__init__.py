"""Alerts, and who is told, on the command line: asked over GraphQL, of this installation or of another."""
