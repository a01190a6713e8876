"""Decisions about tenants and who is in them; nothing here reads or writes."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from ..access import GRANTS, Actor, Permission, Role
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode

MAX_OWNED = 20
"""So many workspaces one person may own."""

MAX_INVITATIONS = 200
MAX_SITES = 100
"""Of so many single sites one member or key can be."""

KEPT = timedelta(days=14)
"""So long a deleted workspace can be brought back."""

OPEN = timedelta(days=7)
"""So long an invitation is good."""

BY_SITE = (Role.MEMBER, Role.VIEWER)

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_TOKEN = re.compile(r"pmi_[A-Za-z0-9_-]{54}\Z")


class Standing(NamedTuple):
    """What somebody is, or is to be, in a workspace. `sites`: None for all of it."""

    role: Role
    sites: frozenset[UUID] | None = None


def check_slug(slug: str) -> str:
    if not SLUG.match(slug):
        raise InvalidInput.at("slug", "A slug is 1 to 63 lower-case letters, digits and inner hyphens.")
    return slug


def check_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput.at("name", "A workspace's name is 1 to 100 printable characters.", ProblemCode.OUT_OF_RANGE)
    return name


def check_standing(role: Role, sites: Collection[UUID] | None) -> Standing:
    if sites is None:
        return Standing(role)
    if role not in BY_SITE:
        raise InvalidInput.at("role", f"Whoever has single sites is MEMBER or VIEWER; {role} is for all of a workspace.")
    return Standing(role, check_sites(sites))


def check_sites(sites: Collection[UUID]) -> frozenset[UUID]:
    """Single ones, of a member or of a key."""
    chosen = frozenset(sites)
    if not 1 <= len(chosen) <= MAX_SITES:
        raise InvalidInput.at("sites", f"It is 1 to {MAX_SITES} sites; left out, all of them.", ProblemCode.OUT_OF_RANGE)
    return chosen


def refuse_to_grant(actor: Actor, workspace_id: UUID, role: Role) -> None:
    """Raises NotAllowed where somebody would make another more than they are."""
    lacking = GRANTS[role] - actor.permissions(workspace_id)
    if lacking:
        missing = next(permission for permission in Permission if permission in lacking)
        raise NotAllowed(f"Nobody grants more than they may themselves: {role} takes {missing}.", missing)


def refuse_to_touch(actor: Actor, workspace_id: UUID, role: Role) -> None:
    """Raises NotAllowed where whoever is changed or removed is more than whoever does it."""
    lacking = GRANTS[role] - GRANTS[actor.roles[workspace_id]]
    if lacking:
        missing = next(permission for permission in Permission if permission in lacking)
        raise NotAllowed(f"Only who is as much changes or removes an {role}.", missing)


def widened(had: Standing, given: Standing) -> Standing:
    """What somebody is who accepts an invitation and is there already: never less, and nothing that nobody granted.

    Raises Conflict where the two cannot be said as one, and LimitReached for too many sites.
    """
    if had.sites is None and GRANTS[given.role] <= GRANTS[had.role]:
        return had
    if given.sites is None and GRANTS[given.role] >= GRANTS[had.role]:
        return given
    if had.sites is not None and given.sites is not None and given.role is had.role:
        sites = had.sites | given.sites
        if len(sites) > MAX_SITES:
            raise LimitReached(f"One member has at most {MAX_SITES} single sites.", MAX_SITES)
        return Standing(had.role, sites)
    raise Conflict(
        f"You are in this workspace already, as {had.role}: ask one of its administrators to change what you are there.",
        ProblemCode.STATE_CHANGED,
    )


def last_owner() -> Conflict:
    return Conflict("A workspace has an owner: make somebody else one first.", ProblemCode.IN_USE)


def no_invitation() -> NotFound:
    return NotFound("This invitation was used, revoked, has expired or was never one: ask for a new one.")


def mint(workspace_id: UUID) -> str:
    """A new invitation's token: it says to which workspace, and holds 192 random bits."""
    return f"pmi_{base64.urlsafe_b64encode(workspace_id.bytes + secrets.token_bytes(24)).decode().rstrip('=')}"


def workspace_of(token: str) -> UUID | None:
    """None for a text that is no token."""
    if not _TOKEN.match(token):
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(token[4:] + "==")[:16])
    except (ValueError, binascii.Error):
        return None
