"""The category scores of a Lighthouse result: whichever categories it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.measuring import Score

from .fields import mapping, number, text

MAX_CATEGORIES = 40


def read_scores(lhr: Mapping[str, Any]) -> tuple[Score, ...]:
    categories = mapping(lhr.get("categories"))
    return tuple(
        Score(text(id, 60), text(category.get("title"), 100) or text(id, 60), number(category.get("score")))
        for id, category in list(categories.items())[:MAX_CATEGORIES]
        if isinstance(category, Mapping)
    )
