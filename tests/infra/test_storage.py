"""One suite for both storages. S3 is moto's server in this process: real HTTP, but it does not check signatures."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from domain.errors import NotFound
from domain.ports import Storage
from infra.storage import DiskStorage, S3Storage

KEY = "0190f0aa/report.json.gz"
REPORT = gzip.compress(b'{"lighthouseVersion": "13.5.0"}')
SIGNED = {"access_key_id": "id", "secret_access_key": "secret", "region": "us-east-1"}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="id", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket="pacemark")
    client.close()
    yield endpoint
    server.stop()


@pytest.fixture(params=["disk", "s3", "s3 with a prefix"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "disk":
        return DiskStorage(tmp_path / "files")
    endpoint = request.getfixturevalue("s3_endpoint")
    prefix = "our/part" if request.param == "s3 with a prefix" else ""
    return S3Storage("pacemark", endpoint=endpoint, prefix=prefix, **SIGNED)


async def test_what_was_put_comes_back_byte_for_byte(storage: Storage) -> None:
    await storage.put(KEY, REPORT, content_type="application/json", content_encoding="gzip")
    assert await storage.get(KEY) == REPORT


async def test_an_empty_file_and_one_of_many_parts_come_back_whole(storage: Storage) -> None:
    large = bytes(range(256)) * 50_000
    await storage.put("sizes/empty", b"", content_type="text/plain")
    await storage.put("sizes/large", large, content_type="application/octet-stream")
    assert await storage.get("sizes/empty") == b""
    assert await storage.get("sizes/large") == large


async def test_putting_again_replaces(storage: Storage) -> None:
    await storage.put("twice", b"the first and longer one", content_type="text/plain")
    await storage.put("twice", b"second", content_type="text/plain")
    assert await storage.get("twice") == b"second"


async def test_a_file_that_is_not_there_is_not_found_and_its_key_is_not_told(storage: Storage) -> None:
    with pytest.raises(NotFound) as refusal:
        await storage.get("nobody/put/this")
    assert refusal.value.message == "This file is no longer kept."


async def test_deleting_leaves_the_others_and_a_missing_file_is_no_error(storage: Storage) -> None:
    await storage.put("one/a", b"a", content_type="text/plain")
    await storage.put("one/b", b"b", content_type="text/plain")
    await storage.delete(["one/a", "never/there"])
    await storage.delete(["one/a"])
    await storage.delete([])
    assert await storage.get("one/b") == b"b"
    with pytest.raises(NotFound):
        await storage.get("one/a")


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../up", "a/../b", "a..b", "a//b", "a/", "a/.hidden", "Upper", "a b", "a\n", "ü", "x" * 513],
)
async def test_a_key_that_could_lead_elsewhere_is_refused_everywhere(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="a storage key is"):
        await storage.put(key, b"", content_type="text/plain")
    with pytest.raises(ValueError, match="a storage key is"):
        await storage.get(key)
    with pytest.raises(ValueError, match="a storage key is"):
        await storage.delete(["fine", key])


async def test_a_bad_key_among_good_ones_deletes_nothing(storage: Storage) -> None:
    await storage.put("kept", b"kept", content_type="text/plain")
    with pytest.raises(ValueError, match="a storage key is"):
        await storage.delete(["kept", "../up"])
    assert await storage.get("kept") == b"kept"


async def test_a_folder_has_no_links(tmp_path: Path) -> None:
    storage = DiskStorage(tmp_path)
    await storage.put(KEY, REPORT, content_type="application/json")
    assert await storage.link(KEY, seconds=60) is None


async def test_a_folder_is_made_when_missing_and_emptied_folders_go(tmp_path: Path) -> None:
    storage = DiskStorage(tmp_path / "made" / "here")
    await storage.put("deep/er/file", b"x", content_type="text/plain")
    assert (tmp_path / "made/here/deep/er/file").read_bytes() == b"x"
    await storage.delete(["deep/er/file"])
    assert list((tmp_path / "made/here").iterdir()) == []


@pytest.mark.parametrize("prefix", ["", "our/part"])
async def test_a_presigned_link_serves_the_file_with_its_type_to_anybody(s3_endpoint: str, prefix: str) -> None:
    storage = S3Storage("pacemark", endpoint=s3_endpoint, prefix=prefix, **SIGNED)
    await storage.put("linked.json", REPORT, content_type="application/json", content_encoding="gzip")
    link = await storage.link("linked.json", seconds=60)
    assert link is not None
    assert httpx.URL(link).params["X-Amz-Expires"] == "60"
    assert "secret" not in link
    async with httpx.AsyncClient() as client:
        answer = await client.get(link)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == {"lighthouseVersion": "13.5.0"}


async def test_a_prefix_keeps_two_installations_apart(s3_endpoint: str) -> None:
    ours = S3Storage("pacemark", endpoint=s3_endpoint, prefix="ours", **SIGNED)
    theirs = S3Storage("pacemark", endpoint=s3_endpoint, prefix="theirs", **SIGNED)
    await ours.put("same", b"ours", content_type="text/plain")
    with pytest.raises(NotFound):
        await theirs.get("same")


def test_a_process_that_ends_right_after_its_last_call_ends_well(tmp_path: Path) -> None:
    script = """
import asyncio, pathlib, sys
from infra.storage import DiskStorage, settle_at_exit
settle_at_exit()
asyncio.run(DiskStorage(pathlib.Path(sys.argv[1])).put("a", b"a", content_type="text/plain"))
"""
    ends = [subprocess.run([sys.executable, "-c", script, tmp_path], check=False).returncode for _ in range(8)]
    assert ends == [0] * 8
