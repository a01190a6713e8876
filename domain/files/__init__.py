"""Reports and pictures: a row here, the bytes in storage."""

from .actions import Stored, abandon, keep
from .model import File, FileKind, FileRow
from .queries import by_audits, by_ids, fetch
from .rules import sign, signed_id

__all__ = ["File", "FileKind", "FileRow", "Stored", "abandon", "by_audits", "by_ids", "fetch", "keep", "sign", "signed_id"]
