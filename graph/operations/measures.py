"""How large an operation is once its fragments stand where they are spread, counted without putting them there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

LONG = 64
"""An alias stands in the answer as often as there are things: for every so many characters it counts once more."""


class Measures(NamedTuple):
    """Of what one operation or fragment selects. `root_fields` are those of the outermost selection set; long `aliases` are
    several.

    A fragment that spreads itself counts as empty there: validation refuses it.
    """

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0

    def beside(self, other: Measures) -> Measures:
        """Both in one selection set."""
        return Measures(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.root_fields + other.root_fields,
            self.directives + other.directives,
        )

    def under(self, *, aliases: int, directives: int) -> Measures:
        """One field with this as its selection."""
        return Measures(self.depth + 1, self.fields + 1, self.aliases + aliases, 1, self.directives + directives)

    def decorated(self, directives: int) -> Measures:
        return self._replace(directives=self.directives + directives)


class Measured(NamedTuple):
    """Each operation's measures, in the order of the document, and how many nodes were looked at for them all."""

    operations: Sequence[tuple[OperationDefinitionNode, Measures]]
    visited: int


_NOTHING = Measures()


def measure(document: DocumentNode) -> Measured:
    """In time linear in the document: what a fragment selects is counted once, however often it is spread.

    Numbers are Python's own, so 2 to the power of a thousand is no overflow; it is a number to be refused.
    """
    counting = _Counting()
    for fragment in lowest_first(document):
        counting.known[fragment.name.value] = counting.selections(fragment.selection_set).decorated(_directives(fragment))
    operations = [
        (each, counting.selections(each.selection_set).decorated(_directives(each)))
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
    ]
    return Measured(operations, counting.visited)


class _Counting:
    """`known` has the fragments counted so far; what is not there, or not yet, counts for nothing."""

    def __init__(self) -> None:
        self.known: dict[str, Measures] = {}
        self.visited = 0

    def selections(self, selected: SelectionSetNode | None) -> Measures:
        total = _NOTHING
        for node in selected.selections if selected is not None else ():
            total = total.beside(self._selection(node))
        return total

    def _selection(self, node: SelectionNode) -> Measures:
        """As deep as the text is nested, and no deeper: the parser bounds that."""
        self.visited += 1
        match node:
            case FieldNode():
                below = self.selections(node.selection_set)
                aliases = -(-len(node.alias.value) // LONG) if node.alias is not None else 0
                return below.under(aliases=aliases, directives=_directives(node))
            case InlineFragmentNode():
                return self.selections(node.selection_set).decorated(_directives(node))
            case FragmentSpreadNode():
                return self.known.get(node.name.value, _NOTHING).decorated(_directives(node))
        return _NOTHING


def _directives(node: FieldNode | InlineFragmentNode | FragmentSpreadNode | ExecutableDefinitionNode) -> int:
    return len(node.directives or ())


def lowest_first(document: DocumentNode) -> Iterator[FragmentDefinitionNode]:
    """Every fragment after those that it spreads. Without recursion: a chain may be as long as the text allows."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    spread = {name: [each for each in spreads(fragment) if each in fragments] for name, fragment in fragments.items()}
    begun: set[str] = set()
    for first in fragments:
        if first in begun:
            continue
        begun.add(first)
        waiting = [(first, iter(spread[first]))]
        while waiting:
            name, others = waiting[-1]
            following = next((each for each in others if each not in begun), None)
            if following is None:
                waiting.pop()
                yield fragments[name]
            else:
                begun.add(following)
                waiting.append((following, iter(spread[following])))


def spreads(definition: ExecutableDefinitionNode) -> Iterator[str]:
    """The fragments that it names, each as often as it does."""
    sets: list[SelectionSetNode | None] = [definition.selection_set]
    while sets:
        selected = sets.pop()
        for node in selected.selections if selected is not None else ():
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, FieldNode | InlineFragmentNode):
                sets.append(node.selection_set)
