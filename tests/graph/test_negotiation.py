"""Accept headers as clients write them."""

from __future__ import annotations

import pytest

from graph.transports.negotiation import ANSWERS, JSON, RESPONSE, takes_gzip, wanted

URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/graphql-response+json", RESPONSE),
        ("application/graphql-response+json, application/json", RESPONSE),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.8, application/graphql-response+json;q=0.9", RESPONSE),
        ("application/json; charset=utf-8; q=1, */*; q=0.1", JSON),
        ("APPLICATION/JSON", JSON),
        (URQL, RESPONSE),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("application/json;q=0, */*", RESPONSE),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=0, text/html", None),
        ("application/json;q=nonsense", None),
        ("application/jsonfoo", None),
    ],
)
def test_the_media_type_is_the_one_that_is_accepted_most(accept: str | None, expected: str | None) -> None:
    assert wanted(accept, ANSWERS) == expected


@pytest.mark.parametrize(
    ("codings", "expected"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("gzip;q=0, *", False),
    ],
)
def test_what_is_compressed_is_for_those_who_take_it(codings: str | None, expected: bool) -> None:
    assert takes_gzip(codings) is expected
