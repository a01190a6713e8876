"""Reads of the security log."""

from __future__ import annotations

from ..base import query
from ..paging import Keyset
from .model import SecurityEntry, SecurityRow

_ENTRIES = query(SecurityRow, SecurityEntry)

LOG = Keyset(
    "securityLog",
    _ENTRIES,
    parent=SecurityEntry.workspace_id,
    tenant=SecurityEntry.workspace_id,
    keys=(SecurityEntry.id,),
    descending=True,
)
"""A workspace's, the newest first."""
