"""Rules of the HTML: what holds up its first paint, and what it leaves unsaid."""

from __future__ import annotations

from domain.measuring import ResourceType, Severity

from ..observation import Observation
from .rule import Hit, hit_each, note, rule, size

HTML = "html"
MANY_STYLESHEETS = 4
LARGE_HTML_BYTES = 500_000
LARGE_DOM, HUGE_DOM = 1_400, 5_000
LARGE_IMAGE_BYTES = 200_000
OLD_FORMAT_BYTES = 50_000
MANY_EAGER_IMAGES = 10
_OLD_FORMATS = ("image/jpeg", "image/png", "image/bmp", "image/tiff")


@rule(
    "render-blocking-script",
    HTML,
    Severity.MEDIUM,
    "Scripts in the head hold up the first paint.",
    "Add `defer` (or `async`, or `type=module`) to them, or move what is not needed at once to the end.",
    "https://developer.chrome.com/docs/lighthouse/performance/render-blocking-resources",
)
def render_blocking_script(seen: Observation) -> Hit | None:
    return hit_each(note(url) for url in seen.page.blocking_scripts) if seen.page else None


@rule(
    "render-blocking-stylesheets",
    HTML,
    Severity.LOW,
    "Many stylesheets hold up the first paint.",
    "Join them, put what the first screen needs into the page, and load the rest with a `media` that does not match yet.",
    "https://web.dev/articles/defer-non-critical-css",
)
def render_blocking_stylesheets(seen: Observation) -> Hit | None:
    found = seen.page.blocking_stylesheets if seen.page else ()
    return hit_each(map(note, found), at_least=MANY_STYLESHEETS)


@rule(
    "html-large",
    HTML,
    Severity.MEDIUM,
    "The HTML is large.",
    "Send lists in parts, and keep data and pictures that are written into the HTML in files of their own.",
    "https://web.dev/articles/optimize-ttfb",
)
def html_large(seen: Observation) -> Hit | None:
    decoded = seen.document.decoded_bytes or 0
    if seen.page is None or decoded <= LARGE_HTML_BYTES:
        return None
    return Hit((note(seen.document.url, f"{size(decoded)} decoded"),))


@rule(
    "dom-large",
    HTML,
    Severity.MEDIUM,
    "The page has very many elements.",
    "Make what is out of sight when it is needed: each element costs memory, style and layout.",
    "https://developer.chrome.com/docs/lighthouse/performance/dom-size",
)
def dom_large(seen: Observation) -> Hit | None:
    elements = seen.page.elements if seen.page else 0
    if elements <= LARGE_DOM:
        return None
    severity = Severity.HIGH if elements > HUGE_DOM else Severity.MEDIUM
    return Hit((note(seen.document.url, f"{elements:,} elements"),), severity)


@rule(
    "image-size-missing",
    HTML,
    Severity.MEDIUM,
    "Images without width and height make the page jump while it loads.",
    "Give every <img> its width and height, or an aspect-ratio.",
    "https://web.dev/articles/optimize-cls#images-without-dimensions",
)
def image_size_missing(seen: Observation) -> Hit | None:
    return hit_each(map(note, seen.page.unsized_images)) if seen.page else None


@rule(
    "image-large",
    HTML,
    Severity.MEDIUM,
    "Images are large.",
    "Send each screen the size that it shows, with `srcset`, and compress harder.",
    "https://web.dev/articles/serve-responsive-images",
)
def image_large(seen: Observation) -> Hit | None:
    images = [one.final for one in seen.loaded if one.reference.type is ResourceType.IMAGE]
    return hit_each(note(one.url, size(one.body_bytes)) for one in images if one.body_bytes > LARGE_IMAGE_BYTES)


@rule(
    "image-format-old",
    HTML,
    Severity.LOW,
    "Images are sent in old formats to a client that accepts AVIF and WebP.",
    "Offer AVIF or WebP, by `<picture>` or by the Accept header: they are smaller at the same quality.",
    "https://web.dev/articles/choose-the-right-image-format",
)
def image_format_old(seen: Observation) -> Hit | None:
    images = (one.final for one in seen.loaded if one.reference.type is ResourceType.IMAGE)
    return hit_each(
        note(one.url, f"{one.mime}, {size(one.body_bytes)}")
        for one in images
        if one.mime in _OLD_FORMATS and one.body_bytes > OLD_FORMAT_BYTES
    )


@rule(
    "image-lazy-missing",
    HTML,
    Severity.INFO,
    "Many images are loaded at once, and none waits until it is needed.",
    'Add `loading="lazy"` to images below the first screen, and to no other.',
    "https://web.dev/articles/browser-level-image-lazy-loading",
)
def image_lazy_missing(seen: Observation) -> Hit | None:
    page = seen.page
    if page is None or page.lazy_images or page.images < MANY_EAGER_IMAGES:
        return None
    return Hit((note("<img>", f"{page.images} images, none of them lazy"),))


@rule(
    "viewport-missing",
    HTML,
    Severity.HIGH,
    "The page has no viewport for small screens.",
    'Add `<meta name="viewport" content="width=device-width, initial-scale=1">`: phones wait 300 ms for a second tap without.',
    "https://developer.chrome.com/docs/lighthouse/pwa/viewport",
)
def viewport_missing(seen: Observation) -> Hit | None:
    return Hit((note('<meta name="viewport">', "not there"),)) if seen.page and not seen.page.viewport else None


@rule(
    "charset-missing",
    HTML,
    Severity.LOW,
    "The page does not say in which encoding it is written.",
    'Send `Content-Type: text/html; charset=utf-8`, or begin the head with `<meta charset="utf-8">`.',
    "https://developer.chrome.com/docs/lighthouse/best-practices/charset",
)
def charset_missing(seen: Observation) -> Hit | None:
    if seen.page is None or seen.page.charset or seen.document.charset:
        return None
    return Hit((note("<meta charset>", "not there, nor in Content-Type"),))


@rule(
    "lang-missing",
    HTML,
    Severity.LOW,
    "The page does not say in which language it is written.",
    'Add it: `<html lang="en">`. Screen readers and translators go by it.',
    "https://web.dev/articles/html-lang",
)
def lang_missing(seen: Observation) -> Hit | None:
    return Hit((note("<html lang>", "not there"),)) if seen.page and not seen.page.lang else None


@rule(
    "title-missing",
    HTML,
    Severity.MEDIUM,
    "The page has no title.",
    "Add a <title> that says what the page is about: tabs, bookmarks and search results show it.",
    "https://developer.chrome.com/docs/lighthouse/accessibility/document-title",
)
def title_missing(seen: Observation) -> Hit | None:
    return Hit((note("<title>", "not there, or empty"),)) if seen.page and not seen.page.title else None


@rule(
    "description-missing",
    HTML,
    Severity.INFO,
    "The page has no description.",
    'Add `<meta name="description">`: search results show it below the title.',
    "https://developer.chrome.com/docs/lighthouse/seo/meta-description",
)
def description_missing(seen: Observation) -> Hit | None:
    return Hit((note('<meta name="description">', "not there"),)) if seen.page and not seen.page.description else None


@rule(
    "meta-refresh",
    HTML,
    Severity.MEDIUM,
    "The page sends its readers on by <meta http-equiv=refresh>.",
    "Answer with a redirect: the reader then does not load this page first.",
    "https://developer.mozilla.org/docs/Web/HTML/Reference/Elements/meta/http-equiv",
)
def meta_refresh(seen: Observation) -> Hit | None:
    target = seen.page.refreshes_to if seen.page else None
    return Hit((note("<meta http-equiv=refresh>", target),)) if target else None


RULES = (
    render_blocking_script,
    render_blocking_stylesheets,
    html_large,
    dom_large,
    image_size_missing,
    image_large,
    image_format_old,
    image_lazy_missing,
    viewport_missing,
    charset_missing,
    lang_missing,
    title_missing,
    description_missing,
    meta_refresh,
)
