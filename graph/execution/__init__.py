"""Operations as they run: prepared, paid for, executed, and delivered as one answer or as many."""

from .operations import Operations
from .parts import Shape
from .prepared import Prepared
from .results import Event, Result, encoded

__all__ = ["Event", "Operations", "Prepared", "Result", "Shape", "encoded"]
