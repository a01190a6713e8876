"""Documents by their text: parsed, measured and validated once, for whoever sends the same again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse, validate

from .limits import TOO_LARGE, Limits
from .measures import Measures, measure

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_REQUEST = "BAD_REQUEST"
KEPT = 1_000
KEPT_BYTES = 8 * 1024 * 1024
"""Of text; what is made of it takes some thirty times as much."""


class Document:
    """`node` is None where the text is no document; then, and when it must not run, `errors` say why.

    Shared by everybody who sends the text: nobody changes it.
    """

    __slots__ = ("errors", "hash", "measures", "node", "size")

    def __init__(
        self,
        hash: str,
        size: int,
        node: DocumentNode | None,
        measures: Sequence[Measures] = (),
        errors: Sequence[GraphQLError] = (),
    ) -> None:
        self.hash = hash
        self.size = size
        self.node = node
        self.measures = measures
        self.errors = errors


class Documents:
    """The pipeline and its memory, which holds so many documents and so many bytes of text, those used last."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Sequence[type[ASTValidationRule]],
        limits: Limits | None = None,
        *,
        kept: int = KEPT,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.limits = limits or Limits()
        self._schema = schema
        self._rules = tuple(rules)
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._known: OrderedDict[tuple[str, bool], Document] = OrderedDict()
        self._bytes = 0
        self.prepared = 0

    def prepare(self, text: str, *, stranger: bool) -> Document:
        """Never raises: what is wrong is told in the document's errors, which suggest nothing to a stranger."""
        data = text.encode("utf-8", "surrogatepass") if len(text) <= self.limits.source else b""
        if not 0 < len(data) <= self.limits.source:
            return self._unusable(text)
        key = sha256(data).hexdigest(), stranger
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        self.prepared += 1
        document = self._known[key] = self._prepare(key[0], text, len(data), stranger)
        self._bytes += document.size
        while len(self._known) > self._kept or self._bytes > self._kept_bytes:
            self._bytes -= self._known.popitem(last=False)[1].size
        return document

    def _prepare(self, hash: str, text: str, size: int, stranger: bool) -> Document:
        try:
            node = parse(text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments)
        except GraphQLError as error:
            return Document(hash, size, None, errors=[_coded(error, PARSE_FAILED)])
        measures = [measures for _, measures in measure(node).operations]
        # Validation costs more than all of this, and much more for what was made to cost: it comes after the limits.
        errors = [error for each in measures for error in self.limits.check(each)]
        if not errors:
            most = self.limits.errors
            found = validate(self._schema, node, self._rules, max_errors=most, hide_suggestions=stranger)
            errors = [_coded(error, VALIDATION_FAILED) for error in found]
        return Document(hash, size, node, measures, errors)

    def _unusable(self, text: str) -> Document:
        if not text:
            missing = GraphQLError("There is no document: send one as `query`.", extensions={"code": BAD_REQUEST})
            return Document("", 0, None, errors=[missing])
        message = f"This document is too long: at most {self.limits.source} bytes."
        extensions = {"code": TOO_LARGE, "limit": "source", "maximum": self.limits.source}
        return Document("", len(text), None, errors=[GraphQLError(message, extensions=extensions)])


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    """With a code that clients know from other servers, unless it has one of its own."""
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
