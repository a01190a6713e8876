"""Snapshots, verdicts, marks and schedules on the command line: asked over GraphQL, of this installation or of another."""
