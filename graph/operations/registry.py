"""What each schema's documents are validated by, and all that is known of them in this process."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from graphql import GraphQLSchema, OverlappingFieldsCanBeMergedRule, ValidationContext, specified_rules
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from ..text import SoundLiterals
from .documents import Documents

COMPARISONS = 50_000
"""So many steps may be taken to compare fields that stand in one place, which are many for a document that is made for it:
they grow with its square, and the 500,000 of graphql-core keep a process busy for a second."""


class OverlappingFields(OverlappingFieldsCanBeMergedRule):
    """The specification's rule, with a budget of ours."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


RULES = (
    *(OverlappingFields if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
    SoundLiterals,
)

_by_schema: WeakKeyDictionary[GraphQLSchema, Documents] = WeakKeyDictionary()


def documents_of(schema: GraphQLSchema) -> Documents:
    """All that is known of one schema's documents in this process."""
    known = _by_schema.get(schema)
    if known is None:
        known = _by_schema[schema] = Documents(schema, RULES)
    return known
