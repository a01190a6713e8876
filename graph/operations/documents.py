"""Documents by their text: parsed, measured and validated once, for whoever sends the same again."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from graphql import (
    REMOVE,
    ASTValidationRule,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    validate,
    value_from_ast_untyped,
    visit,
)

from ..codes import Code
from .cost import Cost, costs
from .limits import Limits
from .measures import Measures, measure
from .traits import NOTHING, Traits, traits
from .weights import Weights

KEPT = 1_000
KEPT_NODES = 200_000
"""Of fields and fragments, or of tokens where these are more; each takes some 600 bytes, with all that is known of it."""

MAX_DIGITS = 1_000
"""Of a number. Python refuses to read one of 4,300, wherever it first meets it."""

_TOO_MANY_DIGITS = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS + 1}}}")


class Operation(NamedTuple):
    """One operation of a document. `defaults` are its variables' where they are numbers or lists.

    `below` are the variables that matter below its root fields; it and the traits are known of good documents.
    """

    name: str | None
    kind: OperationType
    measures: Measures
    cost: Cost
    defaults: Mapping[str, Any]
    traits: Traits = NOTHING
    below: frozenset[str] = frozenset()

    def priced(self, variables: Mapping[str, Any]) -> float:
        """What it may cost at most with these variables."""
        return self.cost({**self.defaults, **variables} if self.defaults else variables)


class Document:
    """`node` is None where the text is no document; then, and when it must not run, `errors` say why.

    `size` is how many fields and fragments its text has. Shared by everybody who sends the text: nobody changes it.
    `reads_history`: it may ask for the place in the history up to which everything else is read. `node` may defer
    parts of its answer; `whole` never does. In `plans` stands what was made of its operations to execute them.
    """

    __slots__ = ("errors", "hash", "node", "operations", "plans", "reads_history", "size", "whole")

    def __init__(
        self,
        hash: str,
        size: int,
        node: DocumentNode | None,
        operations: Sequence[Operation] = (),
        errors: Sequence[GraphQLError] = (),
        *,
        reads_history: bool = False,
    ) -> None:
        self.hash = hash
        self.size = size
        self.node = node
        self.whole = node if errors or node is None else _undeferred(node)
        self.reads_history = reads_history
        self.operations = operations
        self.errors = errors
        self.plans: dict[str | None, Any] = {}

    def operation(self, name: str | None) -> Operation:
        """The one that is asked for. Raises GraphQLError when it is not said which, or there is none of this name."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        chosen = [each for each in self.operations if name is None or each.name == name]
        if len(chosen) == 1:
            return chosen[0]
        message = "This document has several operations: say which in `operationName`."
        if name is not None:
            message = "This document has no operation of that name."
        raise GraphQLError(message, extensions={"code": str(Code.OPERATION_RESOLUTION_FAILURE)})

    def defers(self, operation: Operation) -> bool:
        """Whether parts of its answer may come later: none of a change's, which is made to its end whoever leaves."""
        return operation.kind is OperationType.QUERY and self.node is not self.whole


class Documents:
    """The pipeline and its memory, which holds so many good documents and so many nodes of them, those used last."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Sequence[type[ASTValidationRule]],
        limits: Limits | None = None,
        *,
        kept: int = KEPT,
        kept_nodes: int = KEPT_NODES,
    ) -> None:
        self.limits = limits or Limits()
        self._schema = schema
        self._weights = Weights(schema)
        self._rules = tuple(rules)
        self._kept = kept
        self._kept_nodes = kept_nodes
        self._known: OrderedDict[tuple[str, bool], Document] = OrderedDict()  # by its text, and whether it is a stranger's
        self._nodes = 0
        self.prepared = 0

    def prepare(self, text: str, *, stranger: bool, keep: bool = True) -> Document:
        """Never raises: what is wrong is told in the document's errors, which suggest nothing to a stranger.

        `keep`: it may soon be sent again.
        """
        if (known := self.known(text, stranger=stranger)) is not None:
            return known
        data = text.encode("utf-8", "surrogatepass") if len(text) <= self.limits.source else b""
        if not 0 < len(data) <= self.limits.source:
            return self._unusable(text)
        self.prepared += 1
        document = self._prepare(sha256(data).hexdigest(), text, stranger)
        if keep and not document.errors:  # whoever sends nonsense pays for it each time, and fills nothing
            self._known[text, stranger] = document
            self._nodes += document.size
            while len(self._known) > self._kept or self._nodes > self._kept_nodes:
                self._nodes -= self._known.popitem(last=False)[1].size
        return document

    def known(self, text: str, *, stranger: bool) -> Document | None:
        """The document that was found good already: to look at it costs nothing."""
        if len(text) > self.limits.source:
            return None
        key = text, stranger
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def _prepare(self, hash: str, text: str, stranger: bool) -> Document:
        if _TOO_MANY_DIGITS.search(text):
            return _too_large(f"A number in this document is too long: at most {MAX_DIGITS:,} digits.", "digits", MAX_DIGITS)
        try:
            node = parse(text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments)
        except GraphQLError as error:
            return Document(hash, 0, None, errors=[_coded(error, Code.GRAPHQL_PARSE_FAILED)])
        measured, size = measure(node)
        size = max(size, node.token_count or 0)  # long lists of values are few fields
        prices = costs(self._schema, self._weights, node)
        operations = [
            Operation(
                operation.name.value if operation.name else None, operation.operation, measures, cost, _defaults(operation)
            )
            for (operation, measures), cost in zip(measured, prices, strict=True)
        ]
        # Validation costs more than all of this, and much more for what was made to cost: it comes after the limits.
        errors = [error for each in operations for error in self.limits.check(each.measures)]
        if not errors:
            most = self.limits.errors
            found = validate(self._schema, node, self._rules, max_errors=most, hide_suggestions=stranger)
            errors = [_coded(_told(error), Code.GRAPHQL_VALIDATION_FAILED) for error in found]
        if not errors:
            known = zip(operations, traits(self._schema, node), strict=True)
            operations = [each._replace(traits=whole, below=below) for each, (whole, below) in known]
        return Document(hash, size, node, operations, errors, reads_history="eventCursor" in text)

    def _unusable(self, text: str) -> Document:
        if not text:
            missing = GraphQLError("There is no document: send one as `query`.", extensions={"code": str(Code.BAD_REQUEST)})
            return Document("", 0, None, errors=[missing])
        most = self.limits.source
        return _too_large(f"This document is too long: at most {most} bytes.", "source", most)


def _too_large(message: str, limit: str, maximum: int) -> Document:
    extensions = {"code": str(Code.DOCUMENT_TOO_LARGE), "limit": limit, "maximum": maximum}
    return Document("", 0, None, errors=[GraphQLError(message, extensions=extensions)])


def _defaults(operation: OperationDefinitionNode) -> Mapping[str, Any]:
    return {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode | ListValueNode | BooleanValueNode)
    }


def _undeferred(node: DocumentNode) -> DocumentNode:
    """The same document without @defer: for clients that take one answer, of which the specification lets us make one."""
    return visit(node, _Undefer()) if "@defer" in node.loc.source.body else node  # type: ignore[union-attr]


class _Undefer(Visitor):
    @staticmethod
    def leave_directive(node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value == "defer" else None


def _told(error: GraphQLError) -> GraphQLError:
    """graphql-core does not say why it gave up."""
    if error.message != "Validation aborted.":
        return error
    message = "This document cannot be validated in time: its fragments nest too deeply, or too often select the same fields."
    return GraphQLError(message, extensions={"code": str(Code.DOCUMENT_TOO_COMPLEX), "limit": "validation"})


def _coded(error: GraphQLError, code: Code) -> GraphQLError:
    """With a code that clients know from other servers, unless it has one of its own."""
    error.extensions = {"code": str(code), **(error.extensions or {})}
    return error
