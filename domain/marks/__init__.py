"""Marks: what happened to a site at a time, to be seen beside what was measured then: deploys and annotations."""

from .actions import Measured, annotate, delete_annotation, record, update_annotation
from .model import Annotation, AnnotationRow, Deploy, DeployRow
from .queries import ANNOTATIONS, DEPLOYS, annotations_by_ids, deploys_by_ids
from .rules import MAX_TEXT

__all__ = [
    "ANNOTATIONS",
    "DEPLOYS",
    "MAX_TEXT",
    "Annotation",
    "AnnotationRow",
    "Deploy",
    "DeployRow",
    "Measured",
    "annotate",
    "annotations_by_ids",
    "delete_annotation",
    "deploys_by_ids",
    "record",
    "update_annotation",
]
