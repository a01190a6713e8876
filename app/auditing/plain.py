"""Text that somebody else wrote, made harmless for a terminal."""

from __future__ import annotations

from rich.text import Text

MAX_LENGTH = 200


def plain(text: str, most: int = MAX_LENGTH) -> str:
    """One line of at most `most` characters, without any that would move the cursor, colour, ring or turn the writing."""
    kept = "".join(each if each.isprintable() else "�" for each in " ".join(text.split()))
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def quoted(text: str, most: int = MAX_LENGTH, style: str = "") -> Text:
    """The same for rich: a Text, whose square brackets are no markup."""
    return Text(plain(text, most), style)
