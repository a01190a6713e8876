"""The command `pacemark`."""


def main() -> None: ...
