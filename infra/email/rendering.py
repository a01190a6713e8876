"""What a mail says: its subject, its text and its HTML, from the templates beside this file."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from domain.mails import Mail

MAX_NAME = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINKED = re.compile(r"[.:/@]")
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class Rendered(NamedTuple):
    subject: str
    text: str
    html: str


class Renderer:
    """`base_url`: the installation that people have their account with, which every mail names."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._templates = Environment(
            loader=PackageLoader("infra.email"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["named"] = named

    def render(self, mail: Mail) -> Rendered:
        """Raises ValueError and jinja2.UndefinedError for values that do not fit: a bug, which names no value."""
        values = {name: _CONTROL.sub(" ", value).strip() for name, value in mail.values.items()}
        if "link" in values and not _is_link(values["link"]):
            raise ValueError(f"The link of a mail {mail.template} is none.")
        values |= {"program": program(values.get("agent", "")), "base_url": self._base_url}
        name = mail.template.lower()
        subject, text, html = (
            self._templates.get_template(f"{name}.{ending}").render(values) for ending in ("subject.txt", "txt", "html")
        )
        return Rendered(" ".join(subject.split()), f"{text.strip()}\n", f"{html.strip()}\n")


def named(name: str, most: int = MAX_NAME) -> str:
    """A name that somebody chose, not too long, and with nothing in it that a mail program would make a link of."""
    short = name if len(name) <= most else f"{name[: most - 1]}…"
    return _LINKED.sub(lambda found: f"{found[0]}\u2060", short)


def program(agent: str) -> str:
    """What somebody uses, in words of ours: what a program says of itself may be an advertisement."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    return f"{browser or 'a program'} on {system}" if system else browser or "a program"


def _is_link(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
