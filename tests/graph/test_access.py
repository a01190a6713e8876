"""Access is written and never read: no answer, no error and no column shows what is sent to reach a site."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import GraphQLObjectType, is_object_type
from sqlalchemy import text

from domain import sites
from domain.base import Base
from domain.ids import Kind, decode
from graph.schema import schema
from tests.databases import everybodys
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import asked, change, faults, rows

__all__ = ["asking"]

SECRETS = ("hunter2-header", "hunter2-cookie", "hunter2-user", "hunter2-password")
GIVEN: dict[str, Any] = {
    "headers": [{"name": "X-Token", "value": SECRETS[0]}],
    "cookies": [{"name": "session", "value": SECRETS[1]}],
    "username": SECRETS[2],
    "password": SECRETS[3],
}
ACCESS = "access { headerNames cookieNames hasPassword updatedAt }"


async def new_site(asking: Asking) -> str:
    made = await change(asking, "siteCreate", "site { id }", workspace=asking.workspace, origin="http://127.0.0.1:9")
    id: str = made["site"]["id"]
    return id


async def opened(asking: Asking, site: str) -> Any:
    """What a measurement gets."""
    keyring = asking.services.keyring
    return await sites.open_access(asking.database.reader, asking.actor.reach, decode(Kind.SITE, site), keyring)


async def test_access_shows_names_and_opens_for_a_measurement_only(asking: Asking) -> None:
    site = await new_site(asking)
    answer = await change(asking, "siteAccessSet", f"site {{ {ACCESS} }}", site=site, **GIVEN)
    access = answer["site"]["access"]
    assert access == {
        "headerNames": ["X-Token"],
        "cookieNames": ["session"],
        "hasPassword": True,
        "updatedAt": access["updatedAt"],
    }
    kept = await opened(asking, site)
    assert (dict(kept.headers), dict(kept.cookies)) == ({"X-Token": SECRETS[0]}, {"session": SECRETS[1]})
    assert (kept.username, kept.password) == (SECRETS[2], SECRETS[3])
    await change(asking, "auditRequest", target={"url": "http://127.0.0.1:9/"})
    engine = ToldEngine((100,))
    await asking.measure(engine)
    assert engine.orders[0].access == kept


async def test_setting_replaces_and_clearing_removes(asking: Asking) -> None:
    site = await new_site(asking)
    await change(asking, "siteAccessSet", site=site, **GIVEN)
    read = "site { access { headerNames cookieNames hasPassword } }"
    answer = await change(
        asking, "siteAccessSet", read, site=site, cookies=[{"name": "b", "value": ""}, {"name": "a", "value": "1"}]
    )
    assert answer["site"]["access"] == {"headerNames": [], "cookieNames": ["a", "b"], "hasPassword": False}
    for _ in range(2):
        answer = await change(asking, "siteAccessClear", read, site=site)
        assert answer == {"__typename": "SiteAccessClearPayload", "site": {"access": None}}
    assert await rows(asking, "site_access") == [0]


async def test_no_table_holds_a_secret_in_the_clear(asking: Asking) -> None:
    site = await new_site(asking)
    await change(asking, "siteAccessSet", site=site, **GIVEN)
    await change(asking, "auditRequest", target={"url": "http://127.0.0.1:9/"}, idempotencyKey="k")
    await asking.measure(ToldEngine((100,)))
    async with everybodys(asking.database) as connection:
        for table in Base.metadata.tables:
            held = repr((await connection.execute(text(f"SELECT * FROM {table}"))).all())
            assert "hunter2" not in held, table
        (sealed,) = (await connection.execute(text("SELECT sealed FROM site_access"))).one()
    assert bytes(sealed).startswith(b"gAAAA")


def test_the_schema_has_no_field_that_could_show_a_value() -> None:
    access = schema._schema.type_map["Access"]
    assert isinstance(access, GraphQLObjectType)
    assert set(access.fields) == {"headerNames", "cookieNames", "hasPassword", "updatedAt"}
    secretive = {"password", "secret", "sealed", "digest", "username", "headers", "cookies", "token", "value"}
    shown = {
        f"{name}.{field}"
        for name, type_ in schema._schema.type_map.items()
        if is_object_type(type_) and not name.startswith("__")
        for field in type_.fields
        if field.lower() in secretive
    }
    once = {
        "ApiKeyCreatePayload.secret",
        "ApiKeyRotatePayload.secret",
        "ChannelCreatePayload.secret",
        "ChannelRotateSecretPayload.secret",
    }
    measured = {"Breach.value", "BudgetResult.value", "Measurement.value", "MetricChange.value", "Point.value"}
    assert shown == {"AlertDetail.value", "SecurityDetail.value", *measured, *once}


async def test_everything_readable_about_the_site_holds_no_value(asking: Asking) -> None:
    site = await new_site(asking)
    await change(asking, "siteAccessSet", site=site, **GIVEN)
    node = f"node(id: $id) {{ ... on Site {{ id slug name origin tags {ACCESS} }} }}"
    answer = await asking.whole(f"query ($id: ID!) {{ {node} site(id: $id) {{ {ACCESS} }} }}", id=site)
    assert "errors" not in answer
    assert "hunter2" not in json.dumps(answer)
    for field in ("sealed", "password", "headers", "cookies { value }"):
        refused = await asking.whole(f"query ($id: ID!) {{ site(id: $id) {{ access {{ {field} }} }} }}", id=site)
        assert list(refused) == ["errors"]


SLIPS: list[dict[str, Any]] = [
    {"bogus": 1},
    {"site": None},
    {"password": {"hunter2": "hunter2"}},
    {"site": {"hunter2": "hunter2"}},
    {"site": ["hunter2"]},
    {"headers": "hunter2"},
    {"headers": [{"name": "X", "value": ["hunter2"]}]},
    {"headers": [{"name": "X", "value": "hunter2", "bogus": 1}]},
    {"headers": [{"value": "hunter2"}]},
    {"cookies": [["hunter2"]]},
    {"headers": [{"name": "X\n", "value": "hunter2"}]},
    {"headers": [{"name": "X", "value": "hunter2\n"}]},
    {"headers": [{"name": "Host", "value": "hunter2"}]},
    {"headers": [{"name": "X", "value": "hunter2"}] * 2},
    {"headers": [{"name": f"X{number}", "value": "hunter2"} for number in range(21)]},
    {"cookies": [{"name": "a", "value": "hunter2;"}]},
    {"username": "hunter2:"},
    {"password": None},
    {"password": "hunter2" * 1000},
    {"password": "hunter2\x00"},
    {"site": "hunter3"},
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_error_repeats_what_was_given(asking: Asking) -> None:
    site = await new_site(asking)
    for slip in SLIPS:
        given = {"site": site, **GIVEN, **slip}
        said = await asking.whole(asked("siteAccessSet"), input=given)
        assert "errors" in said or said["data"]["siteAccessSet"]["__typename"] == "InvalidInput", slip
        assert "hunter2" not in json.dumps(said), slip
        literal = await asking.whole(f"mutation {{ siteAccessSet(input: {written(given)}) {{ __typename }} }}")
        assert "hunter2" not in json.dumps(literal), slip
    assert await rows(asking, "site_access") == [0]


def written(value: Any) -> str:
    """A GraphQL literal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


async def test_everything_that_is_wrong_is_said_at_once(asking: Asking) -> None:
    site = await new_site(asking)
    answer = await change(
        asking,
        "siteAccessSet",
        site=site,
        headers=[{"name": "Cookie", "value": "é"}, {"name": "a b", "value": "fine"}],
        cookies=[{"name": "a", "value": "x y"}],
        username="a:b",
        password="x" * 1001,
    )
    assert faults(answer) == [
        (["headers", "0", "name"], "MALFORMED"),
        (["headers", "0", "value"], "MALFORMED"),
        (["headers", "1", "name"], "MALFORMED"),
        (["cookies", "0", "value"], "MALFORMED"),
        (["password"], "TOO_LONG"),
        (["username"], "MALFORMED"),
    ]
    assert faults(await change(asking, "siteAccessSet", site=site)) == [([], "REQUIRED")]
    assert faults(await change(asking, "siteAccessSet", site=site, username="x")) == [(["password"], "REQUIRED")]
    twice = [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]
    assert faults(await change(asking, "siteAccessSet", site=site, headers=twice)) == [
        (["headers", "1", "name"], "ALREADY_EXISTS")
    ]
    answer = await change(asking, "siteAccessSet", "site { access { cookieNames } }", site=site, cookies=twice)
    assert answer["site"]["access"]["cookieNames"] == ["X-A", "x-a"]
