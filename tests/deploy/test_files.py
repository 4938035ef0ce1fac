"""The files of deploy/, without a container engine or a boot."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from lead_service.settings import OF_THE_SITE, Settings
from tests.support.processes import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = [name for name, one in COMPOSE["services"].items() if "build" in one]
# An image is built for one PUBLIC_URL, wherever it listens.
BAKED = {name.upper() for name in OF_THE_SITE} - {"BIND_ADDRESS", "PORT"}
KNOWN = {name.upper() for name in Settings.model_fields}
MOST_EXPOSED = 2.0  # of 10, by `systemd-analyze security`


def given(text: str) -> dict[str, str]:
    """Read the file of settings, including commented lines."""
    return dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", text, re.MULTILINE))


def copied() -> list[str]:
    """Return the files that the images copy from the checkout."""
    text = (DEPLOY / "Containerfile").read_text()
    return list(dict.fromkeys(re.findall(r"^COPY (?!--from)(\S+) \S+$", text, re.MULTILINE)))


def is_sent(source: str) -> bool:
    """Say whether .dockerignore allows a file; the last matching rule decides."""
    sent = True
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = rule.lstrip("!")
        if rule[:1] not in {"", "#"} and (
            fnmatch(source, pattern) or source.startswith(pattern + "/")
        ):
            sent = rule.startswith("!")
    return sent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder with only the files that are copied into the images."""
    folder = tmp_path_factory.mktemp("context")
    for source in copied():
        assert is_sent(source), source
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    return folder


@pytest.fixture
def packages(tmp_path) -> Path:
    """An environment with our dependencies and without this project, as in the images."""
    venv.create(tmp_path, symlinks=True)
    (there,) = tmp_path.glob("lib/*/site-packages")
    for one in Path(sysconfig.get_path("purelib")).iterdir():
        if not one.name.startswith("lead_service"):
            (there / one.name).symlink_to(one)
    return tmp_path


def run(checkout: Path, packages: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PUBLIC_URL": "https://advisory.example/"}
    command = command.replace("/opt/packages", str(packages))
    return subprocess.run(
        command, shell=True, cwd=checkout, env=environment, capture_output=True, text=True
    )


@pytest.mark.long
def test_the_images_copy_all_files_for_the_build_and_the_service(checkout, packages):
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", "")
    stage = text.partition(" AS site\n")[2].partition("\nFROM ")[0]
    install_packages, *steps = re.findall(r"^RUN (.*)$", stage, re.MULTILINE)
    assert "requirements-site.txt" in install_packages and len(steps) == 2
    for step in steps:
        done = run(checkout, packages, step)
        assert done.returncode == 0, done.stderr
    assert (checkout / "site" / "200.html").exists()
    refused = run(checkout, packages, "/opt/packages/bin/python -m lead_service web")
    assert "SECRET_KEY: is missing" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_images_contain_all_settings_of_the_site_and_no_secret():
    text = (DEPLOY / "Containerfile").read_text()
    arguments = {
        name for line in re.findall(r"^ARG (.*)$", text, re.MULTILINE) for name in line.split()
    }
    assert arguments == BAKED
    assert set(COMPOSE["x-service"]["build"]["args"]) == BAKED
    assert not re.search(r"SECRET_KEY|SENDGRID|PASSWORD", text)


def test_every_image_and_package_names_its_version():
    text = (DEPLOY / "Containerfile").read_text()
    stages = set(re.findall(r" AS (\w+)$", text, re.MULTILINE))
    images = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    images |= {one["image"] for one in COMPOSE["services"].values() if "build" not in one}
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?-\w+", image), image
    installed = " ".join(re.findall(r"--no-install-recommends (.*?)&&", text, re.DOTALL))
    packages = installed.replace("\\", " ").split()
    assert len(packages) == 3 and all(re.search(r"=\d", one) for one in packages)


def test_images_run_as_an_unprivileged_user():
    stages = (DEPLOY / "Containerfile").read_text().split("\nFROM ")[1:]
    run_stages = [stage for stage in stages if " AS service\n" in stage or " AS proxy\n" in stage]
    assert len(run_stages) == 2
    for stage in run_stages:
        assert re.search(r"^USER (?!root|0$)\S+$", stage, re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_containers_have_read_only_files_and_no_privileges(name):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_proxy_is_reachable_and_only_deliver_reaches_the_internet():
    open_to_all = {name for name, one in COMPOSE["services"].items() if "ports" in one}
    assert open_to_all == {"proxy"}
    outside = {name for name, one in COMPOSE["services"].items() if "outside" in one["networks"]}
    assert outside == {"proxy", "deliver", "migrate", "check"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_only_the_containers_that_need_keys_and_backups_get_them():
    services = COMPOSE["services"]
    with_copies = {name: services[name]["volumes"] for name in OURS if "volumes" in services[name]}
    del with_copies["proxy"]
    copies = "backups:/var/backups/advisory"
    assert with_copies == {"migrate": [copies], "backup": [copies], "check": [f"{copies}:ro"]}
    of_web = services["web"]["environment"]
    for name in ("SENDGRID_API_KEY", "SMTP_URL"):
        assert re.fullmatch(rf"\$\{{{name}:\+.*kept.from.web.*\}}", of_web[name])
    assert of_web["ALARM_WEBHOOK"] == of_web["ALARM_WEBHOOK_SECRET"] == ""
    assert "--requirepass" in services["limits"]["command"]
    assert "${VALKEY_PASSWORD" in COMPOSE["x-service"]["environment"]["LIMITS_STORAGE"]


def test_the_web_service_does_not_know_the_password_of_the_tables_owner():
    given = {name: COMPOSE["services"][name].get("environment", {}) for name in OURS}
    as_owner = {name for name in OURS if "OWNER_" in given[name].get("DATABASE_URL", "")}
    assert as_owner == {"migrate", "backup"}
    assert COMPOSE["x-service"]["environment"]["POSTGRES_OWNER_PASSWORD"] == ""


def test_every_setting_in_the_deployment_files_exists():
    asked = given((DEPLOY / "settings.env.example").read_text())
    assert set(asked) - {name for name in asked if name.endswith("_PASSWORD")} <= KNOWN
    assert set(COMPOSE["x-service"]["environment"]) - {"POSTGRES_OWNER_PASSWORD"} <= KNOWN
    needed = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert needed <= set(asked)


def test_the_example_settings_contain_no_secret():
    asked = given((DEPLOY / "settings.env.example").read_text())
    assert {asked[name] for name in ("SECRET_KEY", "SENDGRID_API_KEY", "POSTGRES_PASSWORD")} == {""}


@pytest.fixture(scope="module")
def units(tmp_path_factory) -> Path:
    """The units, with this machine's paths."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd to ask")
    folder = tmp_path_factory.mktemp("units")
    for path in (DEPLOY / "systemd").glob("advisory-*"):
        program = str(Path(sys.executable).with_name("lead-service"))
        text = path.read_text().replace("/srv/advisory/.venv/bin/lead-service", program)
        (folder / path.name).write_text(text)
    return folder


def test_systemd_understands_every_unit(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(units.iterdir())],
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "advisory" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.long
@pytest.mark.parametrize("name", UNITS)
def test_units_have_only_the_privileges_that_they_need(units, name):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", units / name],
        capture_output=True,
        text=True,
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) < MOST_EXPOSED
