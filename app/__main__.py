"""`python -m app` is `pacemark`."""

from app.cli import main

main()
