"""No text from outside holds what no text column can: PostgreSQL has no U+0000, and UTF-8 no lone surrogates."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError, StringValueNode, ValidationRule

from domain.base import UNSTORABLE
from domain.errors import ProblemCode


class SoundLiterals(ValidationRule):
    """Refuses documents that hold such text."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if UNSTORABLE.search(node.value):
            self.report_error(_refusal(node))


def unsound(value: Any) -> GraphQLError | None:
    """Why an operation whose variables hold such text is refused."""
    waiting = [value]  # no recursion: how deep the variables go is up to whoever sent them
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and UNSTORABLE.search(value):
            return _refusal()
    return None


def _refusal(node: StringValueNode | None = None) -> GraphQLError:
    message = "A text holds U+0000 or a lone surrogate, which no text here can."
    return GraphQLError(message, node, extensions={"code": str(ProblemCode.MALFORMED)})
