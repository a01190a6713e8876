"""The plans of a process, of which there are as many as it has room for."""

from __future__ import annotations

from collections import OrderedDict

from graphql import GraphQLSchema

from ...operations import Document
from .plan import Plans

KEPT = 100_000
"""Of fields and selection sets, and of nodes of the documents that they are of; each takes some 700 bytes."""


class Kept:
    """Those used last. What is asked for once has none: it may never come again."""

    def __init__(self, schema: GraphQLSchema, *, most: int = KEPT) -> None:
        self._schema = schema
        self._most = most
        self._sizes: OrderedDict[Plans, int] = OrderedDict()
        self.size = 0

    def of(self, document: Document, name: str | None) -> Plans | None:
        if name not in document.plans:
            document.plans[name] = None
            return None
        known: Plans | None = document.plans[name]
        if known is None:
            assert document.whole is not None  # it is a good one
            known = document.plans[name] = Plans(self._schema, document.whole, name)
        return known

    def used(self, plans: Plans, document: Document) -> None:
        """To be said after each use: a plan grows where it meets new types."""
        size = document.size + plans.size
        self.size += size - self._sizes.get(plans, 0)
        self._sizes[plans] = size
        self._sizes.move_to_end(plans)
        while self.size > self._most and len(self._sizes) > 1:
            oldest, held = self._sizes.popitem(last=False)
            self.size -= held
            oldest.clear()
