"""Looks at the schema, which come to the same each time for all who may look: what was said is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import orjson

from ..operations.budgets import values
from .prepared import Prepared
from .results import Said

MOST = 200_000
"""Values that are kept, of which a look at everything has some 15,000 and each takes some 100 bytes."""


class Looks:
    """Those of one schema that were asked for last. Nobody changes what is kept: it is only written out."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Said] = OrderedDict()
        self.size = 0

    def known(self, prepared: Prepared) -> Said | None:
        key = _key(prepared)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def keep(self, prepared: Prepared, said: Said) -> Said:
        """The same of one that is not known yet, with how many values it has: for each of them such a look is paid."""
        if said.data is None or said.errors:
            return said
        size = values(said.data)
        kept = said._replace(things=size)
        self.size += size
        self._known[_key(prepared)] = kept
        while self.size > self._most and self._known:
            self.size -= self._known.popitem(last=False)[1].things or 0
        return kept


def _key(prepared: Prepared) -> Hashable:
    return prepared.document.hash, prepared.operation.name, orjson.dumps(prepared.variables, option=orjson.OPT_SORT_KEYS)
