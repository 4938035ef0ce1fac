"""nginx with Debian's own configuration and the files that handbook/operations.md adds."""

import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.client import Client
from tests.deploy.cluster import NAME, Cluster
from tests.support.local_server import free_port
from tests.support.processes import ROOT
from tests.support.waiting import comes_up

DEBIAN = Path("/etc/nginx")
OURS = ("advisory.conf", "upstream.conf")
NEWER_SYNTAX = 'the "listen ... http2" directive is deprecated'  # the only syntax of nginx 1.22


class DebianNginx:
    """Debian's nginx with a copy of its files, on free ports."""

    def __init__(
        self, folder: Path, cluster: Cluster, *, with_default_site: bool, with_service: bool = True
    ) -> None:
        self.folder, self.cluster = folder, cluster
        self.web_port = cluster.web_ports[0] if with_service else free_port()
        self.ports = {"80": free_port(), "443": free_port()}
        self.client = Client(self.ports["443"], NAME, cluster.folder / "tls" / "certificate.pem")
        for name in ("conf.d", "sites-enabled", "logs"):
            (folder / name).mkdir(parents=True)
        for name in ("nginx.conf", "mime.types", *self._modules()):
            self._add(DEBIAN / name, name)
        if with_default_site:
            self._add(DEBIAN / "sites-available" / "default", "sites-enabled/default")
        for name in OURS:
            self._add(ROOT / "deploy" / "nginx" / name, f"conf.d/{name}")

    def _modules(self) -> list[str]:
        (self.folder / "modules-enabled").mkdir()
        return [f"modules-enabled/{path.name}" for path in DEBIAN.glob("modules-enabled/*.conf")]

    def _add(self, source: Path, name: str) -> None:
        """Copy one file, with this test's folders and ports."""
        text = source.read_text()
        for place, own in {
            "/etc/nginx/tls": self.cluster.folder / "tls",
            "/etc/nginx": self.folder,
            "/srv/advisory/site": self.cluster.site,
            "/var/log/nginx": self.folder / "logs",
            "/run/nginx.pid": self.folder / "pid",
        }.items():
            text = text.replace(place, str(own))
        for port, own in self.ports.items():
            text = re.sub(rf"^(\s*listen (?:\[::\]:)?){port}\b", rf"\g<1>{own}", text, flags=re.M)
        text = text.replace("server 127.0.0.1:8000", f"server 127.0.0.1:{self.web_port}")
        # The workers must read what belongs to the user who runs the tests.
        text = re.sub(r"^user .*;", "user root;" if os.geteuid() == 0 else "", text, flags=re.M)
        (self.folder / name).write_text(text)

    def command(self, *arguments: str) -> list[str]:
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert nginx, "nginx is not installed"
        return [nginx, "-c", str(self.folder / "nginx.conf"), *arguments]


@contextmanager
def started(cluster: Cluster, make_folder, probe: str, **how: bool) -> Iterator[DebianNginx]:
    if not (DEBIAN / "sites-available" / "default").exists():
        pytest.skip("this machine's nginx is not laid out as Debian's")
    for _ in range(3):  # another program may take a free port first
        nginx = DebianNginx(make_folder("debian"), cluster, **how)
        process = subprocess.Popen(nginx.command("-g", "daemon off;"))
        if comes_up(lambda nginx=nginx: nginx.client.get(probe).status == 200, process):
            break
    try:
        assert process.poll() is None
        yield nginx
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module", params=[True, False], ids=["default site", "no default site"])
def debian(request, cluster, tmp_path_factory) -> Iterator[DebianNginx]:
    make_folder, has_default = tmp_path_factory.mktemp, request.param
    with started(cluster, make_folder, "/healthz", with_default_site=has_default) as nginx:
        yield nginx


def test_nginx_accepts_the_configuration_without_a_warning(debian):
    tested = subprocess.run(debian.command("-t"), capture_output=True, text=True)
    said = [line for line in tested.stderr.splitlines() if NEWER_SYNTAX not in line]
    assert (tested.returncode, [line for line in said if "[" in line]) == (0, [])


def test_site_and_service_answer_under_our_name(debian):
    assert "content-security-policy" in debian.client.get("/about/").headers
    assert debian.client.get("/book/").status == 200
    connection = http.client.HTTPConnection("127.0.0.1", debian.ports["80"])
    connection.request("GET", "/about/", headers={"Host": NAME})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (301, f"{debian.cluster.address}/about/")


def test_pages_of_the_service_are_not_compressed_although_debian_enables_gzip(debian):
    """Compressing a page with a secret token would let an attacker guess it (BREACH)."""
    answer = debian.client.get("/desk/sign-in/", Accept_Encoding="gzip, br")
    assert answer.status == 200
    assert "content-encoding" not in answer.headers


def test_during_an_outage_the_site_works_and_shows_an_email_address(cluster, tmp_path_factory):
    how = {"with_default_site": False, "with_service": False}
    with started(cluster, tmp_path_factory.mktemp, "/about/", **how) as nginx:
        client = nginx.client
        for path in ("/", "/about/", "/insights/", "/privacy/"):
            assert client.get(path).status == 200
        for answer in (client.get("/book/"), client.get("/assessment/"), client.post("/book/", {})):
            assert answer.status == 503
            assert "mailto:hello@advisory.test" in answer.text
            assert "only record it once." in answer.text
            assert answer.headers["retry-after"] == "60"
            assert answer.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
