"""What happened beside a page's series: deploys, annotations and confirmed changes in one list by time."""

from .queries import MARKS, MarkRow

__all__ = ["MARKS", "MarkRow"]
