"""How lists of breaches are asked for, wherever they stand."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.paging import DEFAULT_FIRST, Window

from .loaders import PageOf
from .paging import After, First


def breaches_given(
    first: First = DEFAULT_FIRST,
    after: After = None,
    open: Annotated[
        bool | None, strawberry.argument(description="Only those that go on, or only those that ended; left out, both.")
    ] = None,
) -> PageOf:
    wanted = None if open is None else "open" if open else "ended"
    return PageOf(Window.of(first, after), (("open", wanted),))
