"""What is said of a field beside its type: that it is about whoever asks, and for how long its answer lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLField
from strawberry.schema_directive import Location

from domain.access import Permission

PERSONAL: Any = {"personal": True}
"""A field's `metadata`: its value is about whoever asks, beside what they may see, and is shared with nobody."""


class Lasting(NamedTuple):
    """For so many seconds, by everybody or by who asked."""

    seconds: int
    public: bool


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cacheControl",
    description="For how many seconds an answer with this field may be kept: by everybody, or by who asked. Else it may not.",
)
class CacheControl:
    max_age: int = strawberry.directive_field(name="maxAge")
    public: bool = strawberry.directive_field(name="public", default=False)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="needsPermission",
    description="Whoever asks for this needs the permission, in the workspace that it is about; `Viewer.permissions` has them.",
)
class NeedsPermission:
    permission: Permission


def metadata_of(field: GraphQLField) -> Mapping[Any, Any]:
    """What was said of the field when it was declared, beside its directives."""
    definition = field.extensions.get("strawberry-definition")
    found: Mapping[Any, Any] = definition.metadata if definition is not None else {}
    return found


def is_personal(field: GraphQLField) -> bool:
    return bool(metadata_of(field).get("personal"))


def permission_of(field: GraphQLField) -> Permission | None:
    """What the field says that it asks for."""
    definition = field.extensions.get("strawberry-definition")
    said = definition.directives if definition is not None else ()
    return next((each.permission for each in said if isinstance(each, NeedsPermission)), None)


def lasting_of(field: GraphQLField) -> Lasting | None:
    definition = field.extensions.get("strawberry-definition")
    said = definition.directives if definition is not None else ()
    found = next((each for each in said if isinstance(each, CacheControl)), None)
    return Lasting(found.max_age, found.public) if found is not None else None
