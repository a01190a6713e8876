"""Measurements of Pacemark: `python -m bench.NAME` prints one."""
