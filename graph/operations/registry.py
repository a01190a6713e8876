"""What each schema's documents are validated by, and all that is known of them in this process."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from graphql import GraphQLSchema, specified_rules
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from ..text import SoundLiterals
from .documents import Documents

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, SoundLiterals)

_by_schema: WeakKeyDictionary[GraphQLSchema, Documents] = WeakKeyDictionary()


def documents_of(schema: GraphQLSchema) -> Documents:
    """All that is known of one schema's documents in this process."""
    known = _by_schema.get(schema)
    if known is None:
        known = _by_schema[schema] = Documents(schema, RULES)
    return known
