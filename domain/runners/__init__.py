"""Workers that measure: where they stand and what they can do."""

from .actions import appear
from .model import Runner, RunnerRow
from .queries import all_seen, by_ids

__all__ = ["Runner", "RunnerRow", "all_seen", "appear", "by_ids"]
