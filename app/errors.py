"""What stops a command before it begins."""

from __future__ import annotations


class Unusable(Exception):  # noqa: N818 - a sentence for the operator, not a bug
    """Settings, folder, port or database cannot be used as they are; the message says what would help."""
