"""Text that somebody else wrote, made harmless for a terminal."""

from __future__ import annotations

MAX_LENGTH = 200


def plain(text: str, most: int = MAX_LENGTH) -> str:
    """One line of at most `most` characters, without any that would move the cursor, colour, ring or turn the writing.

    For rich it must still become a Text (or go without markup): its square brackets may be meant to be some.
    """
    kept = "".join(each if each.isprintable() else "�" for each in " ".join(text.split()))
    return kept if len(kept) <= most else kept[: most - 1] + "…"
