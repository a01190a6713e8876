"""Looks at the schema, which come to the same each time for all who may look: what was said is kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, TypeAlias

import orjson

from ..operations.budgets import values
from .prepared import Prepared
from .results import Said, encoded

MOST = 4_000_000
"""Bytes of JSON that are kept, of which a look at everything has some hundred thousand. In memory they take up to 25 times as
much: the shortest objects and lists do."""

EACH = 100
"""What is added for each look, which takes some room however little it says."""

_Key: TypeAlias = tuple[str, str | None, bytes]
"""The document's hash, the operation's name, and the variables."""


class _Kept(NamedTuple):
    said: Said
    size: int


class Looks:
    """Those of one schema that were asked for last. Nobody changes what is kept: it is only written out."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[_Key, _Kept] = OrderedDict()
        self.size = 0

    def known(self, prepared: Prepared) -> Said | None:
        key = _key(prepared)
        if key is None or key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key].said

    def keep(self, prepared: Prepared, said: Said) -> Said:
        """The same of one that is not known yet, with how many values it has: for each of them such a look is paid."""
        if said.data is None or said.errors:
            return said
        kept, key = said._replace(things=values(said.data)), _key(prepared)
        if key is not None:
            self._keep(key, _Kept(kept, EACH + len(encoded(said.data)) + len(key[1] or "") + len(key[2])))
        return kept

    def _keep(self, key: _Key, kept: _Kept) -> None:
        self.size += kept.size
        self._known[key] = kept
        while self.size > self._most:
            self.size -= self._known.popitem(last=False)[1].size


def _key(prepared: Prepared) -> _Key | None:
    """None where the variables are nested deeper than can be written: whether they are needed is found out each time."""
    try:
        variables = orjson.dumps(prepared.variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    return prepared.document.hash, prepared.operation.name, variables
