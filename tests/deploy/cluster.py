"""Run the product as deployed: nginx in front of several web and deliver processes.

One PostgreSQL and one store of limits stand behind them, and a stand-in for the mail provider.
nginx runs the files of deploy/nginx, with the ports and the folders of this machine in them.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.deploy.client import Client
from tests.support import databases, tools
from tests.support.fake_sendgrid import KEY
from tests.support.local_server import certificate, free_port
from tests.support.processes import PROGRAM, ROOT, children
from tests.support.waiting import PATIENCE, comes_up

NAME = "advisory.test"  # tests/support/tools.py tells Chromium where it is
POSTS = 20  # per client, during all tests of the deployment


class Cluster:
    """All processes except the database and the stores; use it in a `with` block."""

    def __init__(self, folder: Path, processes: int, **stores: str) -> None:
        """Set the number of web processes and of deliver processes."""
        self.folder, self.site = folder, folder / "site"
        self.ports = {"https": free_port(), "http": free_port()}
        self.web_ports = [free_port() for _ in range(processes)]
        self.address = f"https://{NAME}:{self.ports['https']}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PUBLIC_URL": f"{self.address}/",
            "SECRET_KEY": "only the tests of a deployment sign with these words",
            "SENDGRID_API_KEY": KEY,
            "MAIL_FROM": "calls@advisory.test",
            "SALES_TO": "grace@example.com,team@example.com",
            "PRACTICE_LEGAL_NAME": "Advisory Test Ltd",
            "PRACTICE_POSTAL_ADDRESS": "1 Example Street",
            "PRACTICE_EMAIL": "hello@advisory.test",
            "TRUSTED_PROXIES": "1",
            "LIMIT_POSTS": f"{POSTS} per 10 minutes",
            "SITE_DIR": str(self.site),
            "VAR_DIR": str(folder / "var"),
            "NO_MKDOCS_2_WARNING": "1",
            **stores,
        }
        self.processes: dict[str, subprocess.Popen] = {}
        self.client = Client(self.ports["https"], NAME, folder / "tls" / "certificate.pem")

    def __enter__(self) -> Self:
        build = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet")
        self.run(*build, "--site-dir", str(self.site))
        self.run(*PROGRAM, "migrate")
        databases.let_first_host_take_calls(self.environment["DATABASE_URL"], "Europe/Berlin")
        (self.folder / "tls").mkdir()
        for name in ("certificate.pem", "key.pem"):
            (self.folder / "tls" / name).write_bytes(certificate(NAME))
        for number in range(len(self.web_ports)):
            self.start_web(number)
            self.start(f"deliver{number}", *PROGRAM, "deliver")
        try:
            self._start_nginx()
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for name in list(self.processes):
            self.stop(name)

    def run(self, *command: str) -> str:
        """Run a command of the deployment; return its output."""
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, *command: str, **more: str) -> None:
        with self.log(name).open("a") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment | more, cwd=ROOT, stdout=log, stderr=log
            )

    def start_web(self, number: int) -> None:
        self.start(f"web{number}", *PROGRAM, "web", PORT=str(self.web_ports[number]))

    def stop(self, name: str) -> int:
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(PATIENCE)

    def kill_web(self, number: int) -> None:
        """Kill a web server with all of its processes."""
        process = self.processes.pop(f"web{number}")
        for pid in (*children(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def wait_until_ready(self) -> None:
        """Wait until all web processes answer through nginx, which takes turns between them."""
        asked = range(2 * len(self.web_ports))
        if not comes_up(
            lambda: all(self.client.get("/healthz").status == 200 for _ in asked),
            *self.processes.values(),
        ):
            logs = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
            pytest.fail(f"the deployment does not start:\n{logs}", pytrace=False)

    def _start_nginx(self) -> None:
        nginx = tools.nginx()
        assert nginx
        main = self._configuration()
        for folder in (self.folder / "nginx", self.folder / "logs"):
            folder.mkdir()
        self.start("nginx", nginx, "-c", str(main))

    def _configuration(self) -> Path:
        """Write the shipped files with this machine's ports and folders; return the main one."""
        here = self.folder / "conf"
        here.mkdir()
        places = {
            "/etc/nginx/advisory/": f"{here}/",
            "/srv/advisory/site": str(self.site),
            "/etc/nginx/tls": str(self.folder / "tls"),
            "/var/log/nginx": str(self.folder / "logs"),
            "/tmp/nginx": str(self.folder / "nginx"),
        }
        shipped = ROOT / "deploy" / "nginx"
        for name in ("nginx.conf", "advisory.conf"):
            text = (shipped / name).read_text()
            for place, own in places.items():
                text = text.replace(place, own)
            for scheme, port in (("http", "80"), ("https", "443")):
                text = re.sub(
                    rf"(listen (?:\[::\]:)?){port}\b", rf"\g<1>{self.ports[scheme]}", text
                )
            (here / name).write_text(text)
        servers = "\n".join(
            f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in self.web_ports
        )
        text = re.sub(r"    server .*;", servers, (shipped / "upstream.conf").read_text(), count=1)
        (here / "upstream.conf").write_text(text)
        main = (here / "nginx.conf").rename(self.folder / "nginx.conf")
        if os.geteuid() == 0:  # the workers must read what only root can
            main.write_text(f"user root;\n{main.read_text()}")
        return main
