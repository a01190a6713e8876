"""Addresses that mails go to and come from."""

from __future__ import annotations

import re

import idna

MAX_ADDRESS = 254
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


def deliverable(address: str) -> str:
    """The address as SMTP takes it everywhere: its domain in ASCII, and nothing in it but an address. Raises ValueError."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        ascii_domain = ""
    found = f"{local}@{ascii_domain}"
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain) or len(found) > MAX_ADDRESS or len(local) > 64:
        raise ValueError("an address is such as pacemark@example.com")
    return found
