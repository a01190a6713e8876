"""What went wrong, told to the owner of a page: network errors as page failures."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpcore

from domain.measuring import EngineFailure, FailureKind

# OpenSSL's X509_V_ERR_* numbers, see `man x509_verify_cert_error_string`.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "is signed by an authority that is not trusted",
    20: "is signed by an authority that is not trusted, or an intermediate certificate is not sent",
    21: "cannot be verified, because an intermediate certificate is not sent",
    23: "has been revoked",
    62: "is for another host",
    64: "is for another host",
}
# How a TLS connection says that bytes are awaited, or that there are none left: the context of errors, not their cause.
_NOT_FAULTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError)
# h11 and httpcore tell a connection that ended early from a malformed answer only by these words.
_ENDED_EARLY = ("peer closed connection", "Server disconnected")


def page_failure(code: str, message: str, *, retryable: bool = False) -> EngineFailure:
    return EngineFailure(FailureKind.PAGE, code, message, retryable=retryable)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was raised from, nearest first."""
    current: BaseException | None = error
    while current is not None:
        if not isinstance(current, _NOT_FAULTS):
            yield current
        current = current.__cause__ or current.__context__


def failure_of(error: Exception, host: str) -> EngineFailure:
    """The page failure that a network error means. `host` must be checked already, since it is shown."""
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, EngineFailure):
            return cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            fault = _CERTIFICATE_FAULTS.get(cause.verify_code, "cannot be verified")
            return page_failure("TLS_FAILURE", f"The certificate of {host} {fault}.")
        if isinstance(cause, ssl.SSLError):
            return page_failure("TLS_FAILURE", f"No secure connection could be agreed on with {host}.")
    return _network_failure(chain, host)


def _network_failure(chain: list[BaseException], host: str) -> EngineFailure:
    if _any(chain, ConnectionRefusedError):
        return page_failure("CONNECTION_REFUSED", f"{host} refused the connection.", retryable=True)
    if _any(chain, httpcore.TimeoutException, TimeoutError):
        return page_failure("TIMEOUT", f"{host} did not answer in time.", retryable=True)
    if _any(chain, httpcore.ProtocolError) and not str(chain[0]).startswith(_ENDED_EARLY):
        return page_failure("PROTOCOL_ERROR", f"The answer of {host} is not valid HTTP.")
    if _any(chain, httpcore.ProtocolError, httpcore.ReadError, httpcore.WriteError, ConnectionResetError):
        return page_failure("CONNECTION_RESET", f"{host} closed the connection before its answer ended.", retryable=True)
    return page_failure("CONNECTION_FAILED", f"No connection to {host} could be made.", retryable=True)


def _any(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in chain)


def status_failure(status: int) -> EngineFailure:
    """The failure of a document whose final answer is not a success."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    retryable = status >= 500 or status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)
    return page_failure("HTTP_ERROR", f"The page answered {status}{phrase}.", retryable=retryable)
