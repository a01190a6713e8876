"""The security log: who did what to what, from where."""

from .actions import log
from .model import SecurityEntry, SecurityKind, SecurityRow
from .queries import LOG

__all__ = ["LOG", "SecurityEntry", "SecurityKind", "SecurityRow", "log"]
