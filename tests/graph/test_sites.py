"""Sites and pages in GraphQL: made, found, changed, forgotten, refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.access import Role
from domain.sites import actions
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, profiles, rows

__all__ = ["asking"]

SITE = "id slug name origin tags createdAt defaultProfile { name } profiles { name } workspace { slug }"
PAGE = "id name path url site { id }"


async def create(asking: Asking, origin: str = "https://example.com", **input: Any) -> Any:
    return await change(asking, "siteCreate", f"site {{ {SITE} }} replayed", workspace=asking.workspace, origin=origin, **input)


async def create_page(asking: Asking, site: str, path: str = "/", **input: Any) -> Any:
    return await change(asking, "pageCreate", f"page {{ {PAGE} }} replayed", site=site, path=path, **input)


async def found(asking: Asking, **arguments: Any) -> list[str]:
    """The names of the sites that a search finds."""
    query = """query ($search: String, $tags: [String!]) {
      workspace(slug: "acme") { sites(search: $search, tags: $tags) { nodes { name } } } }"""
    return [site["name"] for site in (await asking.ask(query, **arguments))["workspace"]["sites"]["nodes"]]


async def test_a_site_needs_nothing_but_an_origin(asking: Asking) -> None:
    site = (await create(asking))["site"]
    assert (site["slug"], site["name"], site["origin"], site["tags"]) == (
        "example-com",
        "example.com",
        "https://example.com",
        [],
    )
    assert site["defaultProfile"] == {"name": "Probe"}
    assert site["profiles"] == [{"name": "Probe"}]
    assert site["workspace"] == {"slug": "acme"}
    read = await asking.ask(
        f"""query ($id: ID!) {{ site(id: $id) {{ {SITE} }}
          workspace(slug: "acme") {{ site(slug: "example-com") {{ id }} none: site(slug: "other") {{ id }} }} }}""",
        id=site["id"],
    )
    assert read["site"] == site
    assert read["workspace"] == {"site": {"id": site["id"]}, "none": None}


async def test_an_origin_is_normalised(asking: Asking) -> None:
    for given, origin, slug in [
        ("HTTPS://Example.COM:443/", "https://example.com", "example-com"),
        ("http://example.com:80", "http://example.com", "example-com"),
        ("http://example.com:443", "http://example.com:443", "example-com-443"),
        ("https://example.com:8443", "https://example.com:8443", "example-com-8443"),
        ("https://example.com#there", "https://example.com", "example-com"),
        ("  https://example.com  ", "https://example.com", "example-com"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "xn-bcher-kva-example"),
        ("http://[::1]:8080/", "http://[::1]:8080", "1-8080"),
        ("http://a_b.example", "http://a_b.example", "a-b-example"),
        (f"https://{'a' * 63}.{'b' * 63}.example", f"https://{'a' * 63}.{'b' * 63}.example", "a" * 63),
    ]:
        site = (await create(asking, given))["site"]
        assert (site["origin"], site["slug"]) == (origin, slug)
        again = await create(asking, origin)
        assert (again["__typename"], again["code"]) == ("Conflict", "ALREADY_EXISTS")
        assert again["existing"] == {"__typename": "Site", "id": site["id"]}
        await change(asking, "siteDelete", site=site["id"])


async def test_what_is_no_origin_is_refused(asking: Asking) -> None:
    for given, code in [
        ("", "URL_INVALID"),
        ("example.com", "URL_INVALID"),
        ("ftp://example.com", "URL_INVALID"),
        ("javascript:alert(1)", "URL_INVALID"),
        ("https://example.com/shop", "URL_INVALID"),
        ("https://example.com?shop", "URL_INVALID"),
        ("https://somebody:secret@example.com", "URL_INVALID"),
        ("https://example.com\\@other.example", "URL_INVALID"),
        ("https://exa\tmple.com", "URL_INVALID"),
        ("https://example.com:0", "URL_INVALID"),
        ("https://example.com:65536", "URL_INVALID"),
        (f"https://{'a' * 64}.example", "URL_INVALID"),
        ("https://-a.example", "URL_INVALID"),
        ("https://a..example", "URL_INVALID"),
        ("https://[::1", "URL_INVALID"),
        (f"https://example.com/{'a' * 2048}", "TOO_LONG"),
    ]:
        assert faults(await create(asking, given)) == [(["origin"], code)], given
    assert await rows(asking, "sites") == [0]


async def test_everything_that_is_wrong_with_a_site_is_said_at_once(asking: Asking) -> None:
    answer = await create(asking, "nonsense", name=" ", tags=["fine", "no!", *["x"] * 19])
    assert faults(answer) == [
        (["origin"], "URL_INVALID"),
        (["name"], "REQUIRED"),
        (["tags"], "TOO_MANY"),
        (["tags", "1"], "MALFORMED"),
    ]
    assert (answer["code"], answer["message"]) == ("INVALID", "4 things are wrong with this input.")
    site = (await create(asking))["site"]
    answer = await change(asking, "siteUpdate", site=site["id"], name="a\nb", tags=["no!"], profiles=[])
    assert faults(answer) == [(["name"], "MALFORMED"), (["tags", "0"], "MALFORMED"), (["profiles"], "REQUIRED")]


async def test_sites_whose_slugs_would_be_equal_get_numbers(asking: Asking) -> None:
    origins = ["https://a.example", "http://a.example", "https://a-example", "https://a_example"]
    assert [(await create(asking, origin))["site"]["slug"] for origin in origins] == [
        "a-example",
        "a-example-2",
        "a-example-3",
        "a-example-4",
    ]


@pytest.mark.slow
async def test_a_slug_is_found_however_many_are_taken(asking: Asking) -> None:
    beginning = "-".join(["long"] * 12)
    slugs = set()
    for number in range(102):
        slugs.add((await create(asking, f"https://{beginning}{'a' * 3}.{number}.example", name="x"))["site"]["slug"])
    assert len(slugs) == 102
    assert all(len(slug) <= 63 for slug in slugs)


async def test_the_same_key_makes_one_site_and_other_input_is_a_conflict(asking: Asking) -> None:
    first = await create(asking, idempotencyKey="k", tags=["b", "a"])
    again = await create(asking, "https://EXAMPLE.com/", idempotencyKey="k", tags=["a", "b", "a"])
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["site"] == first["site"]
    other = await create(asking, idempotencyKey="k")
    assert (other["__typename"], other["code"], other["existing"]) == ("Conflict", "KEY_REUSED", None)
    page = await create_page(asking, first["site"]["id"], idempotencyKey="k")
    assert (page["__typename"], page["code"]) == ("Conflict", "KEY_REUSED")
    assert await rows(asking, "sites", "pages") == [1, 0]


async def test_a_refused_mutation_does_not_use_up_its_key(asking: Asking) -> None:
    await create(asking)
    refused = await create(asking, idempotencyKey="k")
    assert refused["code"] == "ALREADY_EXISTS"
    assert (await create(asking, "https://other.example", idempotencyKey="k"))["replayed"] is False


async def test_a_key_that_made_what_is_deleted_says_so(asking: Asking) -> None:
    site = (await create(asking, idempotencyKey="site"))["site"]["id"]
    page = (await create_page(asking, site, idempotencyKey="page"))["page"]["id"]
    await change(asking, "pageDelete", page=page)
    answer = await create_page(asking, site, idempotencyKey="page")
    assert (answer["__typename"], answer["id"]) == ("NotFound", page)
    await change(asking, "siteDelete", site=site)
    answer = await create(asking, idempotencyKey="site")
    assert (answer["__typename"], answer["id"]) == ("NotFound", site)


async def test_a_key_that_cannot_be_kept_is_refused(asking: Asking) -> None:
    for key in ("", " ", "a\nb", "a" * 201):
        assert faults(await create(asking, idempotencyKey=key)) == [(["idempotencyKey"], "MALFORMED")]


async def test_an_update_keeps_what_it_leaves_out(asking: Asking) -> None:
    site = (await create(asking, tags=["team: a", "b"], name="Shop"))["site"]
    known = await profiles(asking)
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"name": None, "tags": None, "profiles": None}, {}),
        ({"name": "New"}, {"name": "New"}),
        ({"tags": []}, {"tags": []}),
        (
            {"profiles": [known[2]["id"], known[0]["id"], known[2]["id"]]},
            {
                "defaultProfile": {"name": known[2]["name"]},
                "profiles": [{"name": known[0]["name"]}, {"name": known[2]["name"]}],
            },
        ),
    ]
    for given, expected in changes:
        site |= expected
        answer = await change(asking, "siteUpdate", f"site {{ {SITE} }}", site=site["id"], **given)
        assert answer == {"__typename": "SiteUpdatePayload", "site": site}


async def test_a_page_is_a_path_with_its_query(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    for given, path in [
        ("/", "/"),
        ("/shop?item=1&b=%20", "/shop?item=1&b=%20"),
        ("/shop?", "/shop"),
        ("/shop/", "/shop/"),
        ("/über/?q=ä#part", "/%C3%BCber/?q=%C3%A4"),
        ("/a\\b", "/a%5Cb"),
        ("/%zz", "/%zz"),
    ]:
        page = (await create_page(asking, site, given))["page"]
        assert (page["path"], page["name"], page["url"]) == (path, path, f"https://example.com{path}")
        again = await create_page(asking, site, path)
        assert (again["code"], again["existing"]) == ("ALREADY_EXISTS", {"__typename": "Page", "id": page["id"]})
        by_path = "query ($id: ID!, $path: String!) { site(id: $id) { page(path: $path) { id } } }"
        assert (await asking.ask(by_path, id=site, path=given))["site"]["page"] == {"id": page["id"]}
        assert (await asking.ask(by_path, id=site, path="/nowhere"))["site"]["page"] is None
    (renamed,) = [(await change(asking, "pageUpdate", "page { name path }", page=page["id"], name=" Percent "))["page"]]
    assert renamed == {"name": "Percent", "path": "/%zz"}


async def test_what_is_no_path_is_refused(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    by_path = "query ($id: ID!, $p: String!) { site(id: $id) { page(path: $p) { id } } }"
    for path, code in [
        ("shop", "MALFORMED"),
        ("", "MALFORMED"),
        ("//other.example/", "MALFORMED"),
        ("/a b", "URL_INVALID"),
        ("/a\nb", "URL_INVALID"),
        ("/" + "a" * 2048, "TOO_LONG"),
        ("/" + "中" * 1000, "TOO_LONG"),
    ]:
        assert faults(await create_page(asking, site, path, name="")) == [(["path"], code), (["name"], "REQUIRED")], path
        said = await asking.whole(by_path, id=site, p=path)
        assert said["errors"][0]["extensions"]["code"] == code


async def test_the_longest_path_can_be_kept(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    path = "/" + "".join(chr(0x4E00 + 7919 * place % 20_000) for place in range(210))
    assert len((await create_page(asking, site, path))["page"]["path"]) == 1 + 210 * 9


async def test_deleting_a_site_takes_everything_below_with_it(asking: Asking) -> None:
    kept, site = [(await create(asking, f"https://{name}.example"))["site"]["id"] for name in ("kept", "gone")]
    for each in (kept, site):
        page = (await create_page(asking, each))["page"]["id"]
        await change(asking, "siteAccessSet", site=each, headers=[{"name": "X", "value": "y"}])
        await change(asking, "auditRequest", target={"page": page})
        await asking.measure(ToldEngine((100,)))
    tables = ("sites", "pages", "audits", "runs", "requests", "findings", "site_profiles", "site_access")
    before = await rows(asking, *tables)
    assert min(before) > 0
    assert await change(asking, "siteDelete", "siteId", site=site) == {"__typename": "SiteDeletePayload", "siteId": site}
    assert await rows(asking, *tables) == [count // 2 for count in before]
    assert (await asking.ask("query ($id: ID!) { site(id: $id) { id } }", id=site))["site"] is None
    again = await change(asking, "siteDelete", site=site)
    assert (again["__typename"], again["id"]) == ("NotFound", site)
    left = (await asking.ask("query ($id: ID!) { site(id: $id) { pages { nodes { id } } } }", id=kept))["site"]["pages"][
        "nodes"
    ]
    assert await change(asking, "pageDelete", "pageId", page=left[0]["id"]) == {
        "__typename": "PageDeletePayload",
        "pageId": left[0]["id"],
    }
    assert await rows(asking, *tables) == [1, 0, 0, 0, 0, 0, 1, 1]


async def test_there_are_as_many_as_allowed(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MAX_SITES", 1)
    monkeypatch.setattr(actions, "MAX_PAGES", 1)
    site = (await create(asking))["site"]["id"]
    await create_page(asking, site)
    answer = await create(asking, "https://other.example")
    assert (answer["__typename"], answer["code"], answer["limit"]) == ("LimitReached", "TOO_MANY", 1)
    answer = await create_page(asking, site, "/other")
    assert (answer["__typename"], answer["limit"]) == ("LimitReached", 1)
    answer = await change(asking, "auditRequest", target={"url": "https://third.example/"})
    assert (answer["__typename"], answer["limit"]) == ("LimitReached", 1)


async def test_a_search_means_what_it_says(asking: Asking) -> None:
    for host, name, tags in [
        ("one", "A_b%c\\d", ["x"]),
        ("two", "Axbyc", ["x", "y"]),
        ("three", "ÄPFEL", ["Y"]),
        ("four", "[a-z]*", []),
    ]:
        await create(asking, f"https://{host}.example", name=name, tags=tags)
    assert await found(asking, search="a_B") == ["A_b%c\\d"]
    assert await found(asking, search="%") == ["A_b%c\\d"]
    assert await found(asking, search="_") == ["A_b%c\\d"]
    assert await found(asking, search="\\") == ["A_b%c\\d"]
    assert await found(asking, search="c\\D") == ["A_b%c\\d"]
    assert await found(asking, search="*") == ["[a-z]*"]
    assert await found(asking, search="'; DROP TABLE sites; --") == []
    assert await found(asking, search="TWO.exam") == ["Axbyc"]
    assert await found(asking, search="%" * 60_000) == []
    assert sorted(await found(asking, search="")) == sorted(["A_b%c\\d", "Axbyc", "ÄPFEL", "[a-z]*"])
    assert await found(asking, search="Axb", tags=["y", "x"]) == ["Axbyc"]
    assert await found(asking, tags=["y"]) == ["Axbyc"]
    assert await found(asking, tags=["x", "Y"]) == []
    assert len(await found(asking, tags=[])) == 4


async def test_pages_are_filtered_by_their_own_words_and_their_sites_tags(asking: Asking) -> None:
    for name, tags in (("shop", ["a"]), ("blog", ["b"])):
        site = (await create(asking, f"https://{name}.example", name=name.title(), tags=tags))["site"]["id"]
        for path in ("/50%", "/50x", "/under_score"):
            await create_page(asking, site, path)

    async def pages(by: str = "NAME", **filter: Any) -> list[str]:
        query = """query ($filter: PageFilter, $order: PageOrder!) {
          workspace(slug: "acme") { pages(filter: $filter, orderBy: $order) { nodes { url } } } }"""
        answer = await asking.ask(query, filter=filter or None, order={"by": by})
        return [page["url"].removeprefix("https://") for page in answer["workspace"]["pages"]["nodes"]]

    assert len(await pages()) == 6
    assert await pages(search="50%", tags=["a"]) == ["shop.example/50%"]
    assert await pages(search="BLOG", by="NEWEST") == [
        "blog.example/under_score",
        "blog.example/50x",
        "blog.example/50%",
    ]
    assert await pages(search="r_s", tags=["b"]) == ["blog.example/under_score"]
    assert await pages(tags=["a", "b"]) == []


async def test_a_text_that_no_database_can_hold_is_refused_or_finds_nothing(asking: Asking) -> None:
    for query in (
        "query ($x: String!) { workspace(slug: $x) { id } }",
        'query ($x: String!) { workspace(slug: "acme") { site(slug: $x) { id } } }',
        'query ($x: String!) { workspace(slug: "acme") { sites(search: $x, tags: [$x]) { nodes { id } } } }',
        'query ($x: String!) { workspace(slug: "acme") { pages(filter: { search: $x }) { nodes { id } } } }',
    ):
        for strange in ("a\x00", "\ud800"):
            said = await asking.whole(query, x=strange)
            assert [error["extensions"]["code"] for error in said["errors"]] == ["MALFORMED"]
    said = await asking.whole('{ workspace(slug: "\\u0000") { id } }')
    assert [error["extensions"]["code"] for error in said["errors"]] == ["MALFORMED"]
    assert await asking.ask('{ workspace(slug: "\\\\u0000") { id } }') == {"workspace": None}


async def test_two_at_once_make_one_thing(asking: Asking) -> None:
    answers = await asyncio.gather(*(create(asking) for _ in range(4)))
    assert sorted(answer["__typename"] for answer in answers) == ["Conflict"] * 3 + ["SiteCreatePayload"]
    (made,) = [answer["site"]["id"] for answer in answers if "site" in answer]
    assert [answer["existing"]["id"] for answer in answers if "existing" in answer] == [made] * 3
    answers = await asyncio.gather(*(create_page(asking, made) for _ in range(4)))
    assert sorted(answer["__typename"] for answer in answers) == ["Conflict"] * 3 + ["PageCreatePayload"]
    requested = await asyncio.gather(
        *(change(asking, "auditRequest", target={"url": "https://new.example/"}) for _ in range(4)),
        *(change(asking, "auditRequest", target={"url": "https://example.com/new"}) for _ in range(4)),
    )
    assert {answer["__typename"] for answer in requested} == {"AuditRequestPayload"}
    assert await rows(asking, "sites", "pages", "audits") == [2, 3, 8]


async def test_two_at_once_change_one_site_one_after_the_other(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    chosen = [profile["id"] for profile in await profiles(asking)]
    answers = await asyncio.gather(
        *(change(asking, "siteUpdate", site=site, profiles=chosen) for _ in range(4)),
        *(change(asking, "siteAccessSet", site=site, headers=[{"name": "X", "value": "y"}]) for _ in range(4)),
    )
    assert [answer["__typename"] for answer in answers] == ["SiteUpdatePayload"] * 4 + ["SiteAccessSetPayload"] * 4
    assert await rows(asking, "site_profiles", "site_access") == [5, 1]


async def test_a_site_cannot_be_made_in_a_workspace_without_profiles(asking: Asking) -> None:
    for profile in await profiles(asking):
        await change(asking, "profileDelete", profile=profile["id"])
    assert faults(await create(asking)) == [(["profiles"], "REQUIRED")]


async def test_ids_are_checked_before_anything_is_done(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    assert faults(await change(asking, "siteDelete", site=asking.workspace)) == [(["site"], "ID_WRONG_KIND")]
    assert faults(await change(asking, "siteDelete", site=f"{site}0")) == [(["site"], "ID_MALFORMED")]
    assert faults(await change(asking, "siteDelete", site=site.upper())) == [(["site"], "ID_MALFORMED")]
    unknown = "profile_" + "0" * 32
    answer = await change(asking, "siteUpdate", site=site, profiles=[unknown])
    assert (answer["__typename"], answer["id"]) == ("NotFound", unknown)


async def test_each_role_may_do_what_is_granted_and_nobody_is_to_sign_in(asking: Asking) -> None:
    site = (await create(asking))["site"]["id"]
    page = (await create_page(asking, site))["page"]["id"]
    inputs: dict[str, dict[str, Any]] = {
        "siteUpdate": {"site": site},
        "pageCreate": {"site": site, "path": "/"},
        "pageUpdate": {"page": page, "name": "x"},
        "siteAccessSet": {"site": site, "headers": [{"name": "X", "value": "y"}]},
        "siteAccessClear": {"site": site},
        "pageDelete": {"page": page},
        "siteDelete": {"site": site},
        "siteCreate": {"workspace": asking.workspace, "origin": "https://x.example"},
    }
    for mutation, input in inputs.items():
        answer = await change(asking.as_(None), mutation, **input)
        assert (answer["__typename"], answer["code"]) == ("NotAllowed", "NOT_SIGNED_IN"), mutation
        answer = await change(asking.as_(Role.VIEWER), mutation, **input)
        permission = "ACCESS_WRITE" if "Access" in mutation else "SITE_WRITE"
        assert (answer["__typename"], answer["code"], answer["permission"]) == ("NotAllowed", "PERMISSION_MISSING", permission)
    for mutation, input in inputs.items():
        answer = await change(asking.as_(Role.MEMBER), mutation, **input)
        assert (answer["__typename"] == "NotAllowed") is ("Access" in mutation), answer
