"""Rules of security that an answer's headers, addresses and certificate can tell."""

from __future__ import annotations

import re

from domain.measuring import Severity

from ..observation import Observation
from .rule import Hit, header, hit_each, note, rule

SECURITY = "security"
HSTS_SECONDS = 180 * 86_400
EXPIRING_DAYS, EXPIRING_SOON_DAYS = 21, 7
_HEADERS = "https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers"
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,12})")
_VERSION = re.compile(r"\d+\.\d+")


@rule(
    "https-missing",
    SECURITY,
    Severity.HIGH,
    "The page is sent without encryption.",
    "Serve it over HTTPS and redirect http:// there: anybody on the way can read and change it.",
    "https://developer.chrome.com/docs/lighthouse/pwa/is-on-https",
)
def https_missing(seen: Observation) -> Hit | None:
    return None if seen.document.secure else Hit((note(seen.document.url),))


@rule(
    "mixed-content",
    SECURITY,
    Severity.HIGH,
    "The encrypted page asks for things without encryption.",
    "Load them over https://: browsers block them, or mark the page as not secure.",
    "https://developer.mozilla.org/docs/Web/Security/Mixed_content",
)
def mixed_content(seen: Observation) -> Hit | None:
    if not seen.document.secure or seen.page is None:
        return None
    asked = (*(reference.url for reference in seen.page.references), *seen.page.frames)
    return hit_each(note(url) for url in asked if url.startswith("http:"))


@rule(
    "certificate-expiring",
    SECURITY,
    Severity.MEDIUM,
    "The certificate expires soon.",
    "Renew it, and let a machine do so from now on.",
    "https://letsencrypt.org/docs/integration-guide/#when-to-renew",
)
def certificate_expiring(seen: Observation) -> Hit | None:
    expires = seen.document.connection.certificate_expires if seen.document.connection else None
    if expires is None:
        return None
    days = (expires - seen.now) / 86_400
    if days >= EXPIRING_DAYS:
        return None
    severity = Severity.HIGH if days < EXPIRING_SOON_DAYS else Severity.MEDIUM
    return Hit((note(seen.host, f"valid for {days:.0f} more days"),), severity)


@rule(
    "hsts-missing",
    SECURITY,
    Severity.LOW,
    "The site does not insist on encryption, or only for a short time.",
    "Send `Strict-Transport-Security: max-age=31536000; includeSubDomains`: it also saves the redirect from http://.",
    f"{_HEADERS}/Strict-Transport-Security",
)
def hsts_missing(seen: Observation) -> Hit | None:
    if not seen.document.secure:
        return None
    value = header(seen.document, "strict-transport-security")
    age = _MAX_AGE.search(value)
    if age is not None and int(age[1]) >= HSTS_SECONDS:
        return None
    return Hit((note("Strict-Transport-Security", value or "not sent"),))


@rule(
    "csp-missing",
    SECURITY,
    Severity.LOW,
    "No content security policy says what the page may load and run.",
    "Send a Content-Security-Policy; begin with Content-Security-Policy-Report-Only to learn what it would stop.",
    "https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP",
)
def csp_missing(seen: Observation) -> Hit | None:
    sent = header(seen.document, "content-security-policy")
    return None if sent else Hit((note("Content-Security-Policy", "not sent"),))


@rule(
    "content-type-options-missing",
    SECURITY,
    Severity.LOW,
    "Browsers may guess another content type than the one that is sent.",
    "Send `X-Content-Type-Options: nosniff`.",
    f"{_HEADERS}/X-Content-Type-Options",
)
def content_type_options_missing(seen: Observation) -> Hit | None:
    sent = "nosniff" in header(seen.document, "x-content-type-options")
    return None if sent else Hit((note("X-Content-Type-Options", "not sent"),))


@rule(
    "referrer-policy-missing",
    SECURITY,
    Severity.INFO,
    "The site leaves it to the browser what other sites learn about where a reader came from.",
    "Send a Referrer-Policy, for instance `strict-origin-when-cross-origin`.",
    f"{_HEADERS}/Referrer-Policy",
)
def referrer_policy_missing(seen: Observation) -> Hit | None:
    sent = header(seen.document, "referrer-policy")
    return None if sent else Hit((note("Referrer-Policy", "not sent"),))


@rule(
    "frame-protection-missing",
    SECURITY,
    Severity.LOW,
    "Any site may show this page in a frame.",
    "Send a Content-Security-Policy with `frame-ancestors 'self'`, or `X-Frame-Options: SAMEORIGIN`.",
    f"{_HEADERS}/Content-Security-Policy/frame-ancestors",
)
def frame_protection_missing(seen: Observation) -> Hit | None:
    protected = "frame-ancestors" in header(seen.document, "content-security-policy")
    if protected or header(seen.document, "x-frame-options"):
        return None
    return Hit((note("X-Frame-Options", "not sent, and no frame-ancestors"),))


@rule(
    "server-version-disclosed",
    SECURITY,
    Severity.INFO,
    "The answer names the version of the software that serves it.",
    "Leave the version out: it tells an attacker which holes to try.",
    f"{_HEADERS}/Server",
)
def server_version_disclosed(seen: Observation) -> Hit | None:
    names = ("server", "x-powered-by", "x-aspnet-version", "x-generator")
    values = ((name, seen.document.headers.get(name, "")) for name in names)
    return hit_each(note(name, value) for name, value in values if _VERSION.search(value))


@rule(
    "cookie-unprotected",
    SECURITY,
    Severity.LOW,
    "Cookies are set without the attributes that protect them.",
    "Set Secure, SameSite and, unless scripts must read it, HttpOnly with each cookie.",
    "https://developer.mozilla.org/docs/Web/Security/Practical_implementation_guides/Cookies",
)
def cookie_unprotected(seen: Observation) -> Hit | None:
    evidence = []
    for line in seen.document.headers.get_list("set-cookie"):
        pair, *attributes = line.split(";")
        given = {attribute.partition("=")[0].strip().lower() for attribute in attributes}
        wanted = ("Secure", "HttpOnly", "SameSite") if seen.document.secure else ("HttpOnly", "SameSite")
        missing = [name for name in wanted if name.lower() not in given]
        if missing:
            evidence.append(note(pair.partition("=")[0], f"without {', '.join(missing)}"))
    return hit_each(evidence)


RULES = (
    https_missing,
    mixed_content,
    certificate_expiring,
    hsts_missing,
    csp_missing,
    content_type_options_missing,
    referrer_policy_missing,
    frame_protection_missing,
    server_version_disclosed,
    cookie_unprotected,
)
