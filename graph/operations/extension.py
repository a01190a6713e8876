"""The pipeline in the place of Strawberry's own parsing and validation, whatever transport the operation came by."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from graphql import GraphQLError, GraphQLSchema, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from ..text import SoundLiterals
from .documents import Document, Documents

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, SoundLiterals)

_by_schema: WeakKeyDictionary[GraphQLSchema, Documents] = WeakKeyDictionary()


def documents_of(schema: GraphQLSchema) -> Documents:
    """All that is known of one schema's documents in this process."""
    known = _by_schema.get(schema)
    if known is None:
        known = _by_schema[schema] = Documents(schema, RULES)
    return known


class Prepared(SchemaExtension):
    """Comes after what makes the operation's context."""

    _document: Document | None = None

    def on_parse(self) -> Iterator[None]:
        operation = self.execution_context
        document = operation.context.document  # of a transport that had to look into it before
        if document is None:
            stranger = not operation.context.actor.roles
            document = documents_of(operation.schema._schema).prepare(operation.query or "", stranger=stranger)
        self._document = document
        if document.node is None:
            # One of our own: whoever raises an exception leaves a trace in it, and that one is everybody's.
            fault = document.errors[0]
            raise GraphQLError(fault.message, None, fault.source, fault.positions, extensions=fault.extensions)
        operation.graphql_document = document.node
        yield

    def on_validate(self) -> Iterator[None]:
        assert self._document is not None
        operation = self.execution_context
        operation.pre_execution_errors = operation.pre_execution_errors or list(self._document.errors)
        if not operation.pre_execution_errors:
            try:
                # Its own name for it would be the first operation's where none was given.
                chosen = self._document.operation(operation._provided_operation_name)
                documents_of(operation.schema._schema).limits.afford(chosen.priced(operation.variables or {}))
            except GraphQLError as refused:
                operation.pre_execution_errors = [refused]
        yield
