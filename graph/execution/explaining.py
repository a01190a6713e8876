"""How an operation is executed, for people: its plan as a tree, and what its batches ask of the database.

Nothing is executed, and no database is asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from graphql import GraphQLObjectType, GraphQLSchema, OperationType

from domain.base import Query

from ..operations import Document, Operation
from ..operations.cost import length
from ..operations.weights import Weights
from .plans import Plans
from .plans.completing import Abstracts, Objects
from .plans.fields import Completer, Field
from .plans.lists import Lists
from .plans.reading import Attribute, Identity, Itself, OfLoader, OfSource, OfSourceAndInfo, read_with
from .plans.selecting import Selection
from .plans.writing import Typename, is_inline
from .sampling import Samples

DEFERS = "Its parts are deferred: for clients that take them one by one, graphql-core executes it."
AWAITED, RESOLVED = "awaited", "resolver"
"""How fields are read that may ask the database themselves, of which nothing is known beforehand."""


class Inexplicable(Exception):  # noqa: N818 - a sentence for whoever asked, not a bug
    """The variables do not go with the operation."""


class Line(NamedTuple):
    """A field, or the fragment for some possible types (which has no `how`); `below` is what is selected of its things.

    `most`: how many things it may give; None where it gives plain values. `batch` is the number of the one that reads it.
    """

    name: str
    type: str = ""
    how: str = ""
    what: str = ""
    most: int | None = None
    batch: int | None = None
    below: Sequence[Line] = ()


class Batch(NamedTuple):
    """A loader that is asked once, for all objects of a level. `columns`: those that are read alone; None for all.

    `after` is the batch that gives the objects; `together`: both are read at once, for the objects' ids are known before.
    `refused` says why there are no queries; `goes_on`: there are more, which depend on what these find.
    """

    number: int
    loader: str
    columns: Sequence[str] | None
    place: str
    keys: int
    after: int | None
    together: bool
    queries: Sequence[Query[Any]]
    refused: str | None
    goes_on: bool


class Code(NamedTuple):
    """What was written for one selection set, and where the first of its objects stand."""

    place: str
    type: str
    source: str


class Explanation(NamedTuple):
    """`by_core` says why graphql-core executes it; `lines` are empty where it always does. `missing`: variables."""

    by_core: str | None
    missing: Sequence[str]
    lines: Sequence[Line] = ()
    batches: Sequence[Batch] = ()
    code: Sequence[Code] = ()


async def explain(
    schema: GraphQLSchema, document: Document, operation: Operation, given: Mapping[str, Any], *, compiling: bool
) -> Explanation:
    """Of a good document. Raises Inexplicable."""
    assert document.whole is not None  # it is a good one
    plans = Plans(schema, document.whole, operation.name)
    samples = Samples(schema, plans.variables, given)
    variables = samples.values()
    if isinstance(variables, list):
        raise Inexplicable(" ".join(error.message for error in variables))
    if samples.unknown:
        raise Inexplicable(f"This operation takes no variable {_listed(samples.unknown)}.")
    if not compiling:
        return Explanation("graphql-core executes it: PACEMARK_COMPILE_QUERIES is off.", samples.missing)
    if undecided := [name for name in samples.missing if name in plans.switches]:
        raise Inexplicable(f"There is a plan for each way of skipping parts: say by --variables what {_listed(undecided)} is.")
    plan = plans.get(variables)
    if plan is None:
        return Explanation("graphql-core executes it: plans do not cover it.", samples.missing)
    walk = _Walk(schema, {**operation.defaults, **given})
    # The fields of a change are called one by one: nothing is written that reads them together.
    lines = walk.selection(plan.root, "", _Level(1), written=operation.kind is OperationType.MUTATION)
    asked = [await samples.asked(each.field, several=each.level.things > 1) for each in walk.loads]
    batches = [
        Batch(
            number,
            each.read.read.loading.name,
            each.columns,
            each.place,
            each.level.things,
            each.level.after,
            each.together,
            *found,
        )
        for number, (each, found) in enumerate(zip(walk.loads, asked, strict=True), start=1)
    ]
    by_core = DEFERS if document.defers(operation) else None
    return Explanation(by_core, samples.missing, lines, batches, list(walk.code.values()))


class _Level(NamedTuple):
    """So many objects, given by a batch; of a connection, how often it has the fields that are its list.

    `together`: the fields that are read while the objects are.
    """

    things: int
    after: int | None = None
    sized: frozenset[str] = frozenset()
    length: int = 1
    together: frozenset[Field] = frozenset()


class _Load(NamedTuple):
    field: Field
    read: OfLoader
    place: str
    level: _Level

    @property
    def together(self) -> bool:
        return self.field in self.level.together

    @property
    def columns(self) -> Sequence[str] | None:
        return self.read.columns if self.read.read.loading.narrow else None


class _Walk:
    """From the root downwards; `loads` are found in this order, whose numbers are those of the batches."""

    def __init__(self, schema: GraphQLSchema, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._weights = Weights(schema)
        self.loads: list[_Load] = []
        self.code: dict[Selection, Code] = {}

    def selection(self, selecting: Selection, place: str, level: _Level, *, written: bool = False) -> list[Line]:
        """`written`: what reads it stands in the code of what it is selected in."""
        parents = [each.parent.name for each in selecting.parts if isinstance(each, Field)]
        if not written and parents:
            self.code.setdefault(selecting, Code(place, parents[0], selecting.source))
        return [
            Line(part.key, "String!", "inline", repr(part.name))
            if isinstance(part, Typename)
            else self._field(part, f"{place}.{part.key}" if place else part.key, level)
            for part in selecting.parts
        ]

    def _field(self, field: Field, place: str, level: _Level) -> Line:
        name = field.nodes[0].name.value
        weight = self._weights.of(field.parent, name)
        size = int(length(field.nodes[0], weight).of(self._variables))
        times = level.length if name in level.sized else 1 if weight.names else size
        below = _Level(level.things * times, level.after, weight.names, size)
        batch = None
        if isinstance(field.read, OfLoader):
            self.loads.append(_Load(field, field.read, place, level))
            batch = len(self.loads)
            below = below._replace(after=batch, together=frozenset(each for each, _ in read_with(field)))
        lines = self._completed(field.completer, place, below, written=is_inline(field))
        how, what = self._root(field) or _reading(field)
        title = name if field.key == name else f"{field.key}: {name}"
        most = below.things if _gives_things(field.completer) else None
        return Line(title, str(field.definition.type), how, what, most, batch, lines)

    def _root(self, field: Field) -> tuple[str, str] | None:
        """How a change is made, and what an event is."""
        if field.parent is self._schema.mutation_type:
            return RESOLVED, "called once"
        return ("read", "the event") if field.parent is self._schema.subscription_type else None

    def _completed(self, completer: Completer, place: str, level: _Level, *, written: bool) -> list[Line]:
        if isinstance(completer, Lists):
            return self._completed(completer.item, place, level, written=written)
        if isinstance(completer, Objects):
            return self.selection(completer.selecting, place, level, written=written)
        if isinstance(completer, Abstracts):
            return self._fragments(completer, place, level)
        return []

    def _fragments(self, completer: Abstracts, place: str, level: _Level) -> list[Line]:
        """One for all possible types of which the same is selected."""
        groups: dict[Hashable, list[tuple[GraphQLObjectType, Selection]]] = {}
        for type in self._schema.get_possible_types(completer.type):
            objects = completer.of(type)
            assert isinstance(objects, Objects)
            groups.setdefault(_signature(objects.selecting), []).append((type, objects.selecting))
        lines = []
        for several in sorted(groups.values(), key=len):
            (_, selecting), names = several[0], sorted(type.name for type, _ in several)
            if selecting.parts:
                more = f" and {len(names) - 1} more" if len(names) > 1 else ""
                title = f"… on {names[0]}{more}"
                lines.append(Line(title, below=self.selection(selecting, place, level)))
        return lines


def _gives_things(completer: Completer) -> bool:
    inner = completer.item if isinstance(completer, Lists) else completer
    return _gives_things(inner) if isinstance(inner, Lists) else isinstance(inner, Objects | Abstracts)


def _signature(selecting: Selection) -> Hashable:
    """Equal for types of which the same nodes of the document are selected."""
    return tuple((each.key, *map(id, each.nodes)) if isinstance(each, Field) else each.key for each in selecting.parts)


def _reading(field: Field) -> tuple[str, str]:
    """How the field is read, in a word and in a few more. What is inline stands in the code that is written for the plan."""
    read = field.read
    how = "inline" if is_inline(field) else "read"
    match read:
        case OfLoader():
            needs = f", needs {read.read.permission}" if read.read.permission is not None else ""
            return "loader", f"{read.read.loading.name}{needs}"
        case Attribute():
            return how, read.name
        case Identity():
            return how, f"{read.prefix!r} and its id"
        case Itself():
            return how, "the same object"
        case OfSource():
            return (how, "a function of the object") if read.inline else (AWAITED, "a coroutine of the object")
        case OfSourceAndInfo():
            if iscoroutinefunction(read.function):
                return AWAITED, "a coroutine of the object"
            return how, "a function of the object and the request"
    return RESOLVED, "called once for each object"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"${name}" for name in names)
