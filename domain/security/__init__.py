"""The security log: who did what to what, from where."""

from .actions import log
from .model import SecurityEntry, SecurityKind, SecurityRow
from .queries import LOG, export
from .rules import as_text

__all__ = ["LOG", "SecurityEntry", "SecurityKind", "SecurityRow", "as_text", "export", "log"]
