"""What an HTML document says of itself and asks for, as JSON.

Runs as a child process of its own (see `parsing`): the tree builder holds the interpreter's lock, and a page made for
it can cost it hours or all memory. So this file imports nothing of the house. It reads HTML from standard input.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_NAMED = 500
MAX_REFERENCES = 2_000
_SCRIPT_TYPES = ("", "module", "text/javascript", "application/javascript", "application/ecmascript", "text/ecmascript")
_IMAGE_TYPES = ("", "image/avif", "image/webp", "image/jpeg", "image/png", "image/gif", "image/svg+xml")
_PRELOADS = {
    "script": "SCRIPT",
    "style": "STYLESHEET",
    "image": "IMAGE",
    "font": "FONT",
    "video": "MEDIA",
    "audio": "MEDIA",
    "track": "OTHER",
    "fetch": "OTHER",
}


class Reader:
    """Reads one document. `width` is the viewport's in CSS pixels, `density` the device's pixels for one of them."""

    def __init__(self, html: str | bytes, url: str, width: int, density: float) -> None:
        self._tree = LexborHTMLParser(html, encoding=True, scripting=True)
        self._width, self._density = width, density
        self._found: dict[str, str] = {}
        self._base = url
        base = self._tree.css_first("base[href]")
        if base is not None:
            self._base = self.absolute(_attribute(base, "href")) or url

    def absolute(self, address: str) -> str | None:
        """An address of the document as a whole http(s) URL; None for data:, blob: and the like."""
        address = "".join(address.split("\n")).replace("\r", "").replace("\t", "").strip()
        if not address or address.startswith("#"):
            return None
        try:
            whole = urljoin(self._base, address.replace(" ", "%20")).partition("#")[0]
            return whole if urlsplit(whole).scheme in ("http", "https") else None
        except ValueError:
            return None

    def _want(self, address: str, kind: str) -> str | None:
        url = self.absolute(address)
        if url is not None:
            self._found.setdefault(url, kind)
        return url

    def read(self) -> dict[str, Any]:
        facts = {**self._head(), **self._loads()}
        tree = self._tree
        facts["elements"] = sum(1 for _ in tree.root.traverse()) if tree.root is not None else 0
        facts["references"] = list(self._found.items())[:MAX_REFERENCES]
        facts["referenced"] = len(self._found)
        return facts

    def _head(self) -> dict[str, Any]:
        tree = self._tree
        html, title = tree.css_first("html"), tree.css_first("head title")
        refresh = self._meta('meta[http-equiv="refresh" i]', "content")
        charset = self._meta("meta[charset]", "charset") or self._meta('meta[http-equiv="content-type" i]', "content")
        return {
            "title": title.text(strip=True)[:300] if title is not None else None,
            "description": self._meta('meta[name="description" i]', "content"),
            "viewport": self._meta('meta[name="viewport" i]', "content"),
            "lang": _attribute(html, "lang") or None if html is not None else None,
            "charset": charset,
            "refreshes_to": refresh if refresh and "url" in refresh.lower() else None,
        }

    def _meta(self, selector: str, attribute: str) -> str | None:
        node = self._tree.css_first(selector)
        return (_attribute(node, attribute).strip()[:300] or None) if node is not None else None

    def _loads(self) -> dict[str, Any]:
        """Walks over everything that loads something, in the order of the document."""
        scripts: list[str] = []
        styles: list[str] = []
        frames: list[str] = []
        images: list[LexborNode] = []
        icon = False
        for node in self._tree.css("script[src], link[href], img, video, audio, iframe[src]"):
            match node.tag:
                case "script":
                    self._script(node, scripts)
                case "link":
                    relations = _attribute(node, "rel").lower().split()
                    if "icon" not in relations:
                        self._link(node, relations, styles)
                    elif not icon:
                        icon = True
                        self._want(_attribute(node, "href"), "IMAGE")
                case "img":
                    images.append(node)
                    if not _lazy(node):
                        self._want(self._source_of(node), "IMAGE")
                case "iframe":
                    frame = self.absolute(_attribute(node, "src"))
                    if frame is not None:
                        frames.append(frame)
                case _:
                    self._media(node)
        unsized = [self._named(node) for node in images if not _sized(node)]
        return {
            "blocking_scripts": list(dict.fromkeys(scripts))[:MAX_NAMED],
            "blocking_stylesheets": list(dict.fromkeys(styles))[:MAX_NAMED],
            "frames": frames[:MAX_NAMED],
            "images": len(images),
            "lazy_images": sum(map(_lazy, images)),
            "unsized_images": unsized[:MAX_NAMED],
        }

    def _script(self, node: LexborNode, blocking: list[str]) -> None:
        kind, attributes = _attribute(node, "type").strip().lower(), node.attributes
        if kind not in _SCRIPT_TYPES or "nomodule" in attributes:
            return
        url = self._want(_attribute(node, "src"), "SCRIPT")
        waits = kind == "module" or "defer" in attributes or "async" in attributes
        if url is not None and not waits and _in_head(node):
            blocking.append(url)

    def _link(self, node: LexborNode, relations: list[str], blocking: list[str]) -> None:
        address, attributes = _attribute(node, "href"), node.attributes
        if "stylesheet" in relations:
            if "alternate" in relations or "disabled" in attributes:
                return
            url = self._want(address, "STYLESHEET")
            if url is not None and _attribute(node, "media").strip().lower() not in ("print", "speech"):
                blocking.append(url)
        elif "modulepreload" in relations:
            self._want(address, "SCRIPT")
        elif "preload" in relations:
            kind = _PRELOADS.get(_attribute(node, "as").strip().lower())
            if kind is not None and not attributes.get("media"):
                self._want(address, kind)

    def _media(self, node: LexborNode) -> None:
        if _attribute(node, "poster"):
            self._want(_attribute(node, "poster"), "IMAGE")
        if _attribute(node, "preload").strip().lower() == "none" and "autoplay" not in node.attributes:
            return
        source = node if _attribute(node, "src") else node.css_first("source[src]")
        if source is not None:
            self._want(_attribute(source, "src"), "MEDIA")

    def _source_of(self, image: LexborNode) -> str:
        """The address that a browser of this width and density would load for an <img>."""
        parent = image.parent
        if parent is not None and parent.tag == "picture":
            for source in parent.css("source[srcset]"):
                if not _attribute(source, "media") and _attribute(source, "type").lower() in _IMAGE_TYPES:
                    return self._candidate(_attribute(source, "srcset")) or _attribute(image, "src")
        return self._candidate(_attribute(image, "srcset")) or _attribute(image, "src")

    def _candidate(self, srcset: str) -> str | None:
        """The smallest candidate that is sharp enough when the image fills the viewport, else the largest."""
        candidates = []
        for part in srcset.replace("\n", " ").split(", "):
            words = part.strip().strip(",").split()
            if not words or words[0].startswith("data:"):
                continue
            try:
                density = _density(words[1], self._width) if len(words) > 1 else 1.0
            except ValueError:
                continue
            candidates.append((density, words[0]))
        candidates.sort(key=lambda candidate: candidate[0])
        sharp = [address for density, address in candidates if density >= self._density]
        return sharp[0] if sharp else candidates[-1][1] if candidates else None

    def _named(self, image: LexborNode) -> str:
        return self.absolute(_attribute(image, "src")) or "<img>"


def _density(descriptor: str, width: int) -> float:
    if descriptor.endswith("w"):
        return float(descriptor[:-1]) / width
    return float(descriptor.removesuffix("x"))


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""


def _lazy(node: LexborNode) -> bool:
    return _attribute(node, "loading").strip().lower() == "lazy"


def _sized(node: LexborNode) -> bool:
    style = _attribute(node, "style").lower()
    return bool(_attribute(node, "width") and _attribute(node, "height")) or "aspect-ratio" in style


def _in_head(node: LexborNode) -> bool:
    parent = node.parent
    return parent is not None and parent.tag == "head"


def _text(html: bytes, charset: str) -> str | bytes:
    """Decoded by the charset that was sent, which goes before what the document itself says; else as it is."""
    try:
        return html.decode(charset, "replace") if charset else html
    except (LookupError, ValueError):
        return html


def main() -> None:
    """Arguments: the document's URL, the charset that was sent with it, the viewport's width, the device's density,
    and the seconds and bytes that this process may use.
    """
    url, charset, width, density, seconds, memory = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    facts = Reader(_text(sys.stdin.buffer.read(), charset), url, int(width), float(density)).read()
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main()
