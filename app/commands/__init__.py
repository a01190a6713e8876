"""The commands, one file a group. Each imports what it runs only when it is run, so that `--help` is there at once."""
