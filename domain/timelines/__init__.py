"""What happened beside a page's series: deploys, annotations and confirmed changes in one list by time."""

from .queries import HAPPENINGS, MARKS, MarkRow

__all__ = ["HAPPENINGS", "MARKS", "MarkRow"]
