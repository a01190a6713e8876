"""One audit from the command line: filed, watched or worked, and shown."""
