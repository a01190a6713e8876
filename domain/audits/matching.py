"""Which requests of two audits are the same one: what changes from build to build, or with each load, does not count.

This is what Lighthouse CI's differ does to addresses (its audit-diff-finder): queries, UUIDs, ports and hashes in names are
taken out before they are compared. Its hashes are eight hex digits before some extensions; those of bundlers are of more kinds.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

MOST_READ = 2_048
"""What is longer is told apart by its beginning."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?<![0-9a-zA-Z])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![0-9a-zA-Z])")
_NAME = re.compile(r"(?P<head>.*[-._~])?(?P<last>[0-9A-Za-z]{8,32}|[0-9A-Za-z_-]{8})(?P<rest>(?:\.[a-z][0-9a-z]{0,9}){1,3})\Z")
_PORT = re.compile(r":\d{1,5}\Z")

_BUILD = re.compile(r"[0-9A-Za-z_-]{16,64}\Z")

HASH = "*"


def origin_of(url: str | None) -> str | None:
    """Scheme, host and port; None for what has none."""
    scheme, there, rest = (url or "").partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return f"{scheme}://{host}".lower() if there and host else None


def address(url: str, own: Collection[str] = ()) -> str:
    """The address without its fragment and, where it is one of the page's own origins, without that: a preview's host is a new
    one each time.
    """
    url = url[:MOST_READ].partition("#")[0]
    origin = origin_of(url)
    return url[len(origin) :] or "/" if origin is not None and origin in own else url


def alike(address: str) -> str:
    """What is left of an address without what changes by itself. `address` is what the function of that name gives."""
    if address.startswith(("data:", "blob:")):
        return re.split(r"[,/]", address, maxsplit=1)[0] if address.startswith("blob:") else address.partition(",")[0]
    plain = address.partition("?")[0]
    origin = origin_of(plain)
    if origin is None:
        return _path(plain)
    return _PORT.sub("", origin) + _path(plain[len(origin) :])


def subject_alike(subject: str, own: Collection[str] = ()) -> str:
    """The same for what a finding rests on, which may be an address, a header's name or a place in the document."""
    if origin_of(subject) is not None and not re.search(r"\s", subject):
        return alike(address(subject, own))
    return _HEX.sub(HASH, _UUID.sub(HASH, subject))


def _path(path: str) -> str:
    path = _HEX.sub(HASH, _UUID.sub(HASH, path))
    return "/".join(map(_segment, path.split("/")))


def _segment(segment: str) -> str:
    """Without a bundler's hash before its extensions, or one that is the whole of it, as a build's own folder."""
    if len(segment) < 10:  # the shortest hash with the shortest extension
        return segment
    found = _NAME.match(segment) if "." in segment else None
    if found is not None and _is_random(found["last"]):
        return (found["head"] or "") + HASH + found["rest"]
    return HASH if _BUILD.match(segment) and _is_random(segment) else segment


def _is_random(text: str) -> bool:
    """Whether digits, small and great letters follow one another as in no word. Eight characters need no digit for that."""
    kinds = ["0" if each.isdigit() else "A" if each.isupper() else "a" if each.islower() else "-" for each in text]
    turns = sum(one != other for one, other in pairwise(kinds))
    digits = kinds.count("0")
    if not digits:
        return len(text) == 8 and turns >= 4
    return turns >= 3 and 5 * turns >= 2 * len(text) and (len(text) == 8 or digits > 1)
