"""What the installation's secrets must be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from app.errors import Unusable

MIN_SECRET = 32
LEAST_PERIOD = 16
LEAST_CHARACTERS = 8
"""Of 32 random hexadecimal digits nine are different in one of ten thousand, and seven in one of ten million."""

LEAST_SURPRISES = 12
"""So many characters do not follow from those before them; in 32 random hexadecimal digits it is about 25."""

_WORDS = ("change", "secret", "example", "password", "pacemark", "default")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "90", "9a")
_NEXT = {pair for row in _ROWS for a, b in pairwise(row) for pair in ((a, b), (b, a))}


def require(secret: str | None, former: Sequence[str], *, production: bool) -> None:
    """Raises Unusable for those that are too short and, in production, for those that can be guessed."""
    if production and secret is None:
        raise Unusable("PACEMARK_ENV=production needs a PACEMARK_SECRET of its own, such as: openssl rand -hex 32")
    if secret is not None and len(secret) < MIN_SECRET:
        raise Unusable(f"PACEMARK_SECRET is too short: it needs at least {MIN_SECRET} characters.")
    if any(len(each) < MIN_SECRET for each in former):
        raise Unusable(f"One of PACEMARK_FORMER_SECRETS is too short: they have at least {MIN_SECRET} characters.")
    if production and secret is not None and is_guessable(secret):
        raise Unusable("PACEMARK_SECRET can be guessed: take one of your own, such as: openssl rand -hex 32")
    if production and any(map(is_guessable, former)):
        raise Unusable(
            "One of PACEMARK_FORMER_SECRETS can be guessed, and opens what whoever guesses it makes: leave it out, once "
            "PACEMARK_ENV=development pacemark secrets reseal has sealed anew what it protects."
        )


def is_guessable(secret: str) -> bool:
    """Whether it repeats itself, goes along an alphabet or a keyboard, or is what somebody wrote as an example."""
    lower = secret.lower()
    if len(set(secret)) < LEAST_CHARACTERS or any(word in lower for word in _WORDS):
        return True
    if any(secret == (secret[:period] * len(secret))[: len(secret)] for period in range(1, LEAST_PERIOD)):
        return True
    return sum(abs(ord(a) - ord(b)) > 1 and (a, b) not in _NEXT for a, b in pairwise(lower)) < LEAST_SURPRISES
