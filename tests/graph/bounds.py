"""For tests whose operations are larger than anybody's may be."""

from __future__ import annotations

import pytest

from graph.operations import Limits, documents_of
from graph.schema import schema


@pytest.fixture
def boundless(monkeypatch: pytest.MonkeyPatch) -> None:
    """No operation is too large."""
    more = 10**9
    limits = Limits(
        source=more, tokens=more, depth=100, fields=more, aliases=more, root_fields=more, directives=more, cost=more
    )
    monkeypatch.setattr(documents_of(schema._schema), "limits", limits)
