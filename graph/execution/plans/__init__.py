"""Operations as plans: compiled once, executed breadth first, each selection set for all its objects together."""

from .kept import Kept
from .plan import NO_VARIABLES, Plan, Plans
from .run import Run

__all__ = ["NO_VARIABLES", "Kept", "Plan", "Plans", "Run"]
