"""Snapshots, verdicts and marks on the command line: asked over GraphQL, of this installation or of another."""
