"""Where a page may lead to: paths of this server."""

from __future__ import annotations

import re

_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}\Z")
"""A path of this server, with its query: no other host, and nothing that a browser could take for one."""


def ours(to: str, otherwise: str) -> str:
    return to if _OURS.match(to) else otherwise
