"""The security log: who did what to what, from where."""

from .actions import log
from .model import SecurityEntry, SecurityKind, SecurityRow
from .queries import LOG, OF_PERSON, export
from .rules import as_text
from .sealing import Piece, Sealed, number_of, reseal

__all__ = [
    "LOG",
    "OF_PERSON",
    "Piece",
    "Sealed",
    "SecurityEntry",
    "SecurityKind",
    "SecurityRow",
    "as_text",
    "export",
    "log",
    "number_of",
    "reseal",
]
