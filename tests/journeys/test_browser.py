"""The newcomer's way, in a real browser: GraphiQL by its link, a real Lighthouse, the report."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.measuring import FormFactor, MetricName
from domain.metrics import performance_score
from tests.app.running import Server, pacemark, staying
from tests.infra.engines.local_site import Page, Site, site
from tests.journeys.test_people import town

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BROWSER = Path(__file__).parents[1] / "browser"
CHROME = os.environ.get("CHROME_PATH", "/usr/bin/chromium")
SHOP = b"""<!doctype html><html lang=en><head><meta charset=utf-8><title>Lantern Books</title>
<meta name=viewport content="width=device-width"><link rel=stylesheet href=/style.css><script src=/app.js></script></head>
<body><main><h1>Lantern Books</h1><p>Books for long evenings.</p></main>
<script>performance.measure('shop-setup', {start: 0, end: 120})</script></body></html>"""


@pytest.fixture
def shop() -> Iterator[Site]:
    with site() as running:
        running.pages["/"] = Page(SHOP)
        running.pages["/style.css"] = Page(b"h1{color:navy}" * 2000, "text/css")
        running.pages["/app.js"] = Page(b"let total=0;for(let i=0;i<3e7;i++)total+=i;", "text/javascript")
        yield running


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Server]:
    installed = {"lighthouse": str(BROWSER / "node_modules" / "lighthouse"), "chrome": CHROME}
    with staying(tmp_path, "up", "--data", str(tmp_path / "data"), introspection="signed-in", **installed) as server:
        yield server


def driven(script: str, *words: str) -> str:
    """What it printed, once it went to its end in a real browser."""
    node = shutil.which("node")
    assert node is not None
    went = subprocess.run(
        [node, script, *words],
        cwd=BROWSER,
        env={**os.environ, "CHROME_PATH": CHROME},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert went.returncode == 0, went.stderr
    return went.stdout


def test_graphiql_answers_follows_over_each_transport_and_says_why_it_is_refused(
    up: Server, shop: Site, tmp_path: Path
) -> None:
    link = next(line.split()[-1] for line in up.lines if "GraphiQL" in line)
    picture = tmp_path / "graphiql.png"
    seen = json.loads(driven("graphiql.mjs", link, "--screenshot", str(picture), "--audit", f"{shop.origin}/"))
    assert seen["answer"]["data"]["viewer"]["workspaces"]["nodes"][0]["slug"] == "default"
    assert seen["requestsElsewhere"] == []
    assert seen["errors"] == []
    assert seen["example"]["data"]["workspace"]["deadJobs"]["nodes"] == []
    assert seen["deferred"] == [{"viewer": {}}, {"viewer": {"workspaces": {"nodes": [{"slug": "default"}]}}}]
    for transport in ("websocket", "sse", "multipart"):
        last = seen["progress"][transport][-1]
        assert (last["phase"], last["audit"]["state"]) == ("ENDED", "FINISHED")
        assert seen["kinds"][transport][0] == "CHECKPOINT"
        assert "AUDIT_REQUESTED" in seen["kinds"][transport]
    ran = list(dict.fromkeys(reversed(seen["history"])))
    assert ran == ["FirstAnswer", "DeadJobs", "Deferred", "AuditUrl", "WatchIt", "State", "Follow"]
    assert "An audit's progress: the present state first" in seen["documentation"]
    assert seen["token"] == {
        "standing": "Not signed in: token eyJh…9keQ was refused",
        "notice": "The server refused this key or token, so its schema is not shown here. Paste another, or forget this one.",
    }
    told = "Sign in to be shown the schema. Without it there is no documentation and no completion; operations run as ever."
    assert seen["stranger"] == {"standing": "Not signed in", "notice": told}
    assert picture.stat().st_size > 10_000


SIGN_UP = """
mutation ($input: AccountCreateInput!) { accountCreate(input: $input) { ... on AccountCreatePayload { email } } }"""
VERIFY = "mutation ($input: EmailVerifyInput!) { emailVerify(input: $input) { ... on EmailVerifyPayload { verified } } }"


async def test_graphiql_knows_who_is_signed_in_keeps_them_so_over_each_transport_and_signs_them_out(tmp_path: Path) -> None:
    email, password = "ann@example.org", "correct horse battery"
    async with town(tmp_path, introspection="signed-in") as there:
        said = await asyncio.to_thread(there.server.query, SIGN_UP, input={"email": email, "name": "Ann", "password": password})
        assert said == {"accountCreate": {"email": email}}
        token = (await there.link(email, "/auth/verify")).partition("token=")[2]
        said = await asyncio.to_thread(there.server.query, VERIFY, input={"token": token})
        assert said == {"emailVerify": {"verified": True}}
        words = ["--email", email, "--password", password, "--key", there.server.key]
        if pictures := os.environ.get("PICTURES"):
            words += ["--pictures", pictures]
        await asyncio.to_thread(driven, "graphiql_people.mjs", there.server.base, *words)


AUDIT = """
query ($id: ID!) { audit(id: $id) {
  state engineVersion scores { category score } userTimings { name durationMs }
  metrics { performanceScore fcpMs lcpMs tbtMs cls speedIndexMs ttfbMs requestCount pageLoadMs dnsMs }
  representativeRun { index screenshot { contentType url } filmstrip { atMs url } requests { nodes { url } } report { url } }
  runs { metrics { fcpMs } }
} }"""


@pytest.mark.parametrize("form_factor", ["MOBILE", "DESKTOP"])
def test_a_real_lighthouse_goes_through_and_its_score_is_recomputed(
    up: Server, shop: Site, tmp_path: Path, form_factor: str
) -> None:
    settings = {"lighthouse": str(BROWSER / "node_modules" / "lighthouse"), "chrome": CHROME}
    words = ["--engine", "LIGHTHOUSE", "--form-factor", form_factor, "--runs", "1", "--json", "--data", str(tmp_path / "data")]
    told = pacemark(tmp_path, "audit", f"{shop.origin}/", *words, patience=200, **settings)
    assert told.returncode == 0, told.stderr
    printed = json.loads(told.stdout)
    audit = up.query(AUDIT, id=printed["id"])["audit"]
    metrics: dict[str, Any] = audit["metrics"]
    assert {name: printed["metrics"][name] for name in metrics} == metrics
    assert (metrics["requestCount"] >= 3, metrics["dnsMs"]) == (True, None)
    values = {
        MetricName.FCP: metrics["fcpMs"],
        MetricName.LCP: metrics["lcpMs"],
        MetricName.TBT: metrics["tbtMs"],
        MetricName.CLS: metrics["cls"],
        MetricName.SPEED_INDEX: metrics["speedIndexMs"],
    }
    major = int(audit["engineVersion"].split(".")[0])
    lighthouses_own = next(score["score"] for score in audit["scores"] if score["category"] == "performance")
    assert performance_score(values, FormFactor(form_factor), major) == lighthouses_own == metrics["performanceScore"]
    assert {"name": "shop-setup", "durationMs": 120} in audit["userTimings"]
    run = audit["representativeRun"]
    assert run["screenshot"]["contentType"].startswith("image/")
    assert len(run["filmstrip"]) >= 5
    assert f"{shop.origin}/app.js" in {request["url"] for request in run["requests"]["nodes"]}
