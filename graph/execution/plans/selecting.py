"""What is selected of the objects of one type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domain.forms import forms_of

from .completing import MOST_TYPES, Objects
from .fields import Field
from .places import Places
from .run import Run, Waiting
from .writing import Typename, Writing, is_inline

_Reads = Callable[[Sequence[Any]], list[dict[str, Any]]]


class Selection:
    """The fields in their order. `source` is the text of what reads those that need nothing but the object.

    `columns`: all that is read of the objects, where they are rows; None where it is not known.
    """

    def __init__(self, parts: Sequence[Field | Typename]) -> None:
        fields = [each for each in parts if isinstance(each, Field)]
        self.fields = fields
        self._inline = [each for each in fields if is_inline(each)]
        self.others = [each for each in fields if not is_inline(each)]
        self._blank = {each.key: each.name if isinstance(each, Typename) else None for each in parts}
        self.parts = parts
        self.plain = not self.others
        self.things: int = 1 + sum(
            each.completer.selecting.things for each in self._inline if isinstance(each.completer, Objects)
        )
        needed = [each.columns for each in fields]
        known = [each for each in needed if each is not None]
        self.columns: frozenset[str] | None = frozenset().union(*known) if len(known) == len(needed) else None
        self.source, self._read = self._written(None)
        self._reads: dict[type, _Reads] = {}

    def _written(self, row: type | None) -> tuple[str, _Reads]:
        writing = Writing(row)
        source = writing.source(writing.shape(self.parts))
        exec(compile(source, "<plan>", "exec"), writing.names)  # noqa: S102 - written there, from names of ours and reprs
        return source, writing.names["read"]

    def _reading(self, sources: Sequence[Any]) -> _Reads:
        types = set(map(type, sources))
        if len(types) != 1:
            return self._read
        (type_,) = types
        known = self._reads.get(type_)
        if known is None:
            if len(self._reads) >= MOST_TYPES:
                self._reads.clear()
            known = self._reads[type_] = self._written(type_)[1] if forms_of(type_) else self._read
        return known

    def blank(self) -> dict[str, Any]:
        """What stands for an object of which nothing was read yet."""
        return dict(self._blank)

    def select(self, run: Run, sources: Sequence[Any], places: Places, waits: list[Waiting]) -> list[dict[str, Any]]:
        run.things += self.things * len(sources)
        try:
            outs = self._reading(sources)(sources)
        except Exception:
            outs = self._carefully(run, sources, places, waits)
        for field in self.others:
            field.fill(run, sources, outs, places, waits)
        return outs

    def _carefully(self, run: Run, sources: Sequence[Any], places: Places, waits: list[Waiting]) -> list[dict[str, Any]]:
        """The same field by field, of which one is not what it should be."""
        run.things -= (self.things - 1) * len(sources)
        outs = [self.blank() for _ in sources]
        for field in self._inline:
            field.fill(run, sources, outs, places, waits)
        return outs
