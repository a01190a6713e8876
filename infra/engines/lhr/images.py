"""The pictures of a Lighthouse result, which travel in it as data URLs."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from domain.measuring import ImageKind, ImageSeen

from .fields import details, number, rows

MAX_IMAGE_BYTES = 4_000_000
MAX_FRAMES = 60

_DATA_URL = re.compile(r"data:(image/(?:jpeg|png|webp));base64,")


def read_images(lhr: Mapping[str, Any]) -> tuple[ImageSeen, ...]:
    """The final screenshot and the frames of the filmstrip. What is no JPEG, PNG or WebP, or too large, is left out."""
    final = details(lhr, "final-screenshot")
    frames = rows(details(lhr, "screenshot-thumbnails").get("items"))[:MAX_FRAMES]
    found = [_image(ImageKind.SCREENSHOT, final), *(_image(ImageKind.FILMSTRIP, frame) for frame in frames)]
    return tuple(image for image in found if image is not None)


def _image(kind: ImageKind, item: Mapping[str, Any]) -> ImageSeen | None:
    data = item.get("data")
    match = _DATA_URL.match(data) if isinstance(data, str) else None
    if match is None or len(item["data"]) > MAX_IMAGE_BYTES * 4 // 3:
        return None
    try:
        content = b64decode(item["data"][match.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return ImageSeen(kind, match[1], content, number(item.get("timing")))
