"""Profiles in GraphQL: every change of the way of measuring is a version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.access import Role
from domain.sites import actions
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, profiles

__all__ = ["asking"]

PROFILE = "id name version engine formFactor runs throttling { method rttMs throughputKbps cpuSlowdown }"
SLOW = {"method": "DEVTOOLS", "rttMs": 150.5, "throughputKbps": 1600.0, "cpuSlowdown": 4.0}


async def create(asking: Asking, **input: Any) -> Any:
    given = {"workspace": asking.workspace, "name": "Slow", "engine": "LIGHTHOUSE", "formFactor": "MOBILE", **input}
    return await change(asking, "profileCreate", f"replayed profile {{ {PROFILE} }}", **given)


async def update(asking: Asking, profile: str, **input: Any) -> Any:
    return await change(asking, "profileUpdate", f"profile {{ {PROFILE} }}", profile=profile, **input)


async def test_a_workspace_begins_with_the_probe_and_a_profile_for_each_engine_and_device(asking: Asking) -> None:
    assert [
        (profile["name"], profile["engine"], profile["formFactor"], profile["runs"]) for profile in await profiles(asking)
    ] == [
        ("Probe", "PROBE", "DESKTOP", 5),
        ("Lighthouse mobile", "LIGHTHOUSE", "MOBILE", 3),
        ("Lighthouse desktop", "LIGHTHOUSE", "DESKTOP", 3),
        ("PageSpeed mobile", "PAGESPEED", "MOBILE", 1),
        ("PageSpeed desktop", "PAGESPEED", "DESKTOP", 1),
    ]


async def test_a_profile_is_made_replayed_and_found_among_the_others(asking: Asking) -> None:
    made = await create(asking, throttling=SLOW, idempotencyKey="k")
    profile = made["profile"]
    assert profile == {
        "id": profile["id"],
        "name": "Slow",
        "version": 1,
        "engine": "LIGHTHOUSE",
        "formFactor": "MOBILE",
        "runs": 3,
        "throttling": SLOW,
    }
    again = await create(asking, throttling=SLOW, idempotencyKey="k")
    assert (made["replayed"], again["replayed"], again["profile"]) == (False, True, profile)
    assert (await profiles(asking))[-1] == profile
    assert (await create(asking, idempotencyKey="k"))["code"] == "KEY_REUSED"
    taken = await create(asking, name=" Slow ")
    assert (taken["__typename"], taken["code"], taken["existing"]) == (
        "Conflict",
        "ALREADY_EXISTS",
        {"__typename": "Profile", "id": profile["id"]},
    )
    await change(asking, "profileDelete", profile=profile["id"])
    gone = await create(asking, throttling=SLOW, idempotencyKey="k")
    assert (gone["__typename"], gone["id"]) == ("NotFound", profile["id"])


async def test_only_a_changed_way_of_measuring_is_a_new_version(asking: Asking) -> None:
    profile = (await create(asking))["profile"]
    steps: list[tuple[dict[str, Any], int, dict[str, Any]]] = [
        ({}, 1, {}),
        ({"name": "Slower", "runs": None, "formFactor": None}, 1, {"name": "Slower"}),
        ({"runs": 3, "formFactor": "MOBILE", "throttling": None}, 1, {}),
        ({"throttling": SLOW}, 2, {"throttling": SLOW}),
        ({"throttling": SLOW}, 2, {}),
        ({"runs": 5}, 3, {"runs": 5}),
        ({"throttling": None, "formFactor": "DESKTOP"}, 4, {"throttling": None, "formFactor": "DESKTOP"}),
        ({"throttling": SLOW, "formFactor": "MOBILE", "runs": 3}, 5, {"throttling": SLOW, "formFactor": "MOBILE", "runs": 3}),
    ]
    for given, version, expected in steps:
        profile |= {"version": version, **expected}
        assert await update(asking, profile["id"], **given) == {"__typename": "ProfileUpdatePayload", "profile": profile}


async def test_two_changes_at_once_are_two_versions(asking: Asking) -> None:
    profile = (await create(asking))["profile"]["id"]
    answers = await asyncio.gather(*(update(asking, profile, runs=runs) for runs in range(10, 16)))
    assert sorted(answer["profile"]["version"] for answer in answers)[-1] == 7
    assert next(each for each in await profiles(asking) if each["id"] == profile)["version"] == 7


async def test_an_audit_keeps_the_version_that_it_was_asked_with(asking: Asking) -> None:
    probe = (await profiles(asking))[0]["id"]
    read = "audit { id profile { version } conditions { profileVersion } }"
    first = await change(asking, "auditRequest", read, target={"url": "http://127.0.0.1:9/"})
    await update(asking, probe, runs=2)
    await asking.measure(ToldEngine((100,)))
    query = "query ($id: ID!) { audit(id: $id) { profile { version runs } conditions { profileVersion } } }"
    assert (await asking.ask(query, id=first["audit"]["id"]))["audit"] == {
        "profile": {"version": 2, "runs": 2},
        "conditions": {"profileVersion": 1},
    }


async def test_everything_that_is_wrong_with_a_profile_is_said_at_once(asking: Asking) -> None:
    wrong = {"method": "SIMULATE", "rttMs": 10_001, "throughputKbps": -1, "cpuSlowdown": 0.5}
    assert faults(await create(asking, name="a" * 201, runs=0, engine="PROBE", throttling=wrong)) == [
        (["name"], "TOO_LONG"),
        (["runs"], "OUT_OF_RANGE"),
        (["throttling"], "INVALID"),
        (["throttling", "rttMs"], "OUT_OF_RANGE"),
        (["throttling", "throughputKbps"], "OUT_OF_RANGE"),
        (["throttling", "cpuSlowdown"], "OUT_OF_RANGE"),
    ]
    assert faults(await create(asking, throttling={"method": "DEVTOOLS"})) == [(["throttling"], "REQUIRED")]
    assert (await create(asking, throttling={"method": "PROVIDED"}))["profile"]["throttling"]["method"] == "PROVIDED"
    probe = (await profiles(asking))[0]["id"]
    answer = await update(asking, probe, name="", runs=21, throttling=SLOW)
    assert faults(answer) == [(["name"], "REQUIRED"), (["runs"], "OUT_OF_RANGE"), (["throttling"], "INVALID")]
    assert (await profiles(asking))[0]["version"] == 1


async def test_a_profile_in_use_stays(asking: Asking) -> None:
    probe, lighthouse, *_ = [profile["id"] for profile in await profiles(asking)]
    read = "audit { page { site { id } } }"
    audit = (await change(asking, "auditRequest", read, target={"url": "http://127.0.0.1:9/"}, profile=lighthouse))["audit"]
    for profile in (probe, lighthouse):  # a site measures with the one, an audit was asked for with the other
        answer = await change(asking, "profileDelete", profile=profile)
        assert (answer["__typename"], answer["code"]) == ("Conflict", "IN_USE")
    await change(asking, "siteDelete", site=audit["page"]["site"]["id"])
    for profile in (probe, lighthouse):
        assert await change(asking, "profileDelete", "profileId", profile=profile) == {
            "__typename": "ProfileDeletePayload",
            "profileId": profile,
        }
    assert len(await profiles(asking)) == 3


async def test_a_name_is_taken_once(asking: Asking) -> None:
    probe, lighthouse, *_ = await profiles(asking)
    answer = await update(asking, probe["id"], name=lighthouse["name"], runs=9)
    assert (answer["code"], answer["existing"]["id"]) == ("ALREADY_EXISTS", lighthouse["id"])
    assert (await profiles(asking))[0] == probe
    both = await asyncio.gather(create(asking), create(asking))
    assert sorted(answer["__typename"] for answer in both) == ["Conflict", "ProfileCreatePayload"]


async def test_there_are_as_many_profiles_as_allowed(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MAX_PROFILES", 5)
    answer = await create(asking)
    assert (answer["__typename"], answer["limit"]) == ("LimitReached", 5)


async def test_profiles_are_the_admins_business(asking: Asking) -> None:
    probe = (await profiles(asking))[0]["id"]
    inputs: dict[str, dict[str, Any]] = {
        "profileCreate": {"workspace": asking.workspace, "name": "x", "engine": "PROBE", "formFactor": "DESKTOP"},
        "profileUpdate": {"profile": probe, "name": "x"},
        "profileDelete": {"profile": probe},
    }
    for mutation, input in inputs.items():
        answer = await change(asking.as_(Role.MEMBER), mutation, **input)
        assert (answer["code"], answer["permission"]) == ("PERMISSION_MISSING", "PROFILE_WRITE")
        assert (await change(asking.as_(None), mutation, **input))["code"] == "NOT_SIGNED_IN"
    assert (await change(asking.as_(Role.ADMIN), "profileDelete", **inputs["profileDelete"]))[
        "__typename"
    ] == "ProfileDeletePayload"
