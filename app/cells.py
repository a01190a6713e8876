"""Values as cells of a table that a spreadsheet opens."""

from __future__ import annotations

import re
from typing import Any

# Blanks of all scripts, those that have no width too, and quotes, which some spreadsheets take off first.
_UNSEEN = r'[\s"\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]*'
_BEGINNING = r"=+\-@\uff1d\uff0b\uff0d\uff20\u2212"

# Where numbers have a comma, a semicolon ends a cell, and what follows it is another one.
_FORMULA = re.compile(rf"^(?={_UNSEEN}[{_BEGINNING}\t\r\n])|(?<=[;\t\r\n])(?={_UNSEEN}[{_BEGINNING}])")


def cell(value: Any) -> Any:
    """What a spreadsheet would take for a formula gets an apostrophe in front; a whole number has no point."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return _FORMULA.sub("'", value) if isinstance(value, str) else value
