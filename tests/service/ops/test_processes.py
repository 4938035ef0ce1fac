"""The processes as they really run: killed, stopped, misconfigured, and without a provider."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from select import select as readable
from shutil import copytree

import pytest
from sqlalchemy import func, select

from lead_service.db.engine import Database
from lead_service.emails.models import OutboxMessage
from lead_service.leads.models import Lead
from lead_service.publishing.site import BUILT
from tests.support.databases import open_migrated
from tests.support.engines import only_sqlite
from tests.support.fake_sendgrid import KEY
from tests.support.local_server import free_port
from tests.support.processes import MAKE, PROGRAM, ROOT, Product, contact_form, run
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture
def outside(environment, tmp_path) -> dict[str, str]:
    """Return the environment of processes outside the test process."""
    return environment | {"LOG_LEVEL": "WARNING"}


def sent_and_stored(url: str) -> tuple[int, int]:
    database = Database(url)
    try:
        with database.read() as session:
            sent = select(func.count()).where(OutboxMessage.state == "sent")
            return session.scalar(sent), session.scalar(select(func.count()).select_from(Lead))
    finally:
        database.close()


@pytest.mark.long
def test_the_team_is_told_after_a_restart_of_a_lead_stored_before_a_crash(outside, tmp_path):
    mail = Path(outside["VAR_DIR"]) / "mail"
    with Product(outside) as product:
        assert product.post("/contact/", contact_form(1)).status == 303
        product.kill()
    with Product(outside):
        # One to the visitor, and one to the team.
        assert eventually(lambda: len(list(mail.glob("*.eml"))) == 2)
        assert eventually(lambda: sent_and_stored(outside["DATABASE_URL"]) == (2, 1))


@only_sqlite
@pytest.mark.parametrize(
    ("program", "command", "signals"),
    [
        (MAKE, "serve", (signal.SIGTERM, signal.SIGTERM)),
        pytest.param(*(PROGRAM, "serve", (signal.SIGHUP, signal.SIGTERM)), marks=pytest.mark.long),
        pytest.param(*(PROGRAM, "web", (signal.SIGINT, signal.SIGTERM)), marks=pytest.mark.long),
    ],
)
def test_signals_to_the_whole_group_end_everything(outside, tmp_path, program, command, signals):
    open_migrated(outside["DATABASE_URL"]).close()  # `web` migrates nothing and makes no folder
    Path(outside["VAR_DIR"]).mkdir(exist_ok=True)
    product = Product(outside, command, tmp_path / "log", program)
    product.start()
    product.wait_until_ready()
    product.stop_group(*signals)
    assert product.ended_quietly(signals), product.log.read_text()
    assert ("Press Ctrl+C to stop." in product.output) == (command == "serve")


@pytest.mark.long
def test_a_new_build_is_served_without_refusing_requests(outside, tmp_path):
    site = Path(copytree(outside["SITE_DIR"], tmp_path / "site"))
    with Product(outside | {"SITE_DIR": str(site)}) as product:
        page = (site / "200.html").read_text("utf-8")
        (site / "200.html").write_text(page.replace("</body>", "A new build</body>"), "utf-8")
        (site / BUILT).touch()
        statuses = set()

        def is_shown() -> bool:
            answer = product.get("/contact/")
            statuses.add(answer.status)
            return "A new build" in answer.text

        assert eventually(is_shown) and statuses == {200}


STUBBORN = """
import os, signal, time
from lead_service.ops import serving

def go_on():
    signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"told\\n"))
    os.fork()  # a worker
    os.write(1, b"started\\n")
    time.sleep(1000)

serving.KILL_SECONDS = 1
serving.supervise(go_on)
"""


@pytest.mark.long
def test_processes_that_do_not_stop_in_time_are_killed_and_nohup_ignores_hangups():
    command = ["nohup", sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == process.stdout.readline() == b"started\n"
        process.send_signal(signal.SIGHUP)
        assert readable([process.stdout], [], [], 1)[0] == []
        process.terminate()
        told, _ = process.communicate(timeout=PATIENCE)  # until its worker ends, too
    assert (told, process.returncode) == (b"told\n", 1)


@pytest.mark.long
def test_a_provider_that_is_down_changes_nothing_for_the_visitor(outside):
    nobody = {"SENDGRID_API_KEY": KEY, "SENDGRID_HOST": f"http://127.0.0.1:{free_port()}"}
    with Product(outside | nobody) as product:
        assert product.post("/contact/", contact_form(1)).status == 303

        def waits_for_its_next_try() -> bool:
            database = Database(outside["DATABASE_URL"])
            with database.read() as session:
                row = session.scalar(select(OutboxMessage))
            database.close()
            return row.state == "pending" and row.attempts == 1 and row.next_at > row.due_at

        assert eventually(waits_for_its_next_try)


def test_a_busy_port_is_one_clear_line(outside):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        second = run(outside | {"PORT": port}, "serve")
    assert second.returncode != 0
    assert f"Port {port} is in use" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.long
def test_a_deliver_process_that_dies_is_started_again(outside):
    mail = Path(outside["VAR_DIR"]) / "mail"
    with Product(outside) as product:
        first = product.deliver_pid()
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: product.deliver_pid() not in {None, first})
        assert product.post("/contact/", contact_form(1)).status == 303
        assert eventually(lambda: len(list(mail.glob("*.eml"))) == 1)
        second = product.deliver_pid()
        assert product.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


@pytest.mark.long
def test_the_service_listens_on_an_address_of_version_six(outside):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Product(outside | {"BIND_ADDRESS": "::1"}) as product:
        assert product.post("/contact/", contact_form(1)).status == 303


@only_sqlite  # settings are read before any database
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SALES_TOO": "a@example.com"}, "SALES_TOO: no such setting"),
        ({"SITE_DIR": "nowhere"}, "make build"),
        ({"DATABASE_URL": "sqlite:////proc/no.db"}, "DATABASE_URL"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(outside, wrong, said):
    done = run(outside | wrong, "serve")
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "short" not in done.stderr.replace("shorter", "")
    assert all(one.startswith("lead-service: ") for one in done.stderr.splitlines())
    assert sum(said in one for one in done.stderr.splitlines()) == 1


@only_sqlite
def test_a_database_that_cannot_be_written_stops_the_start(outside, tmp_path):
    file = tmp_path / "not-a-database.db"
    file.write_text("this is no database, and long enough to be seen as none" * 50)
    done = run(outside | {"DATABASE_URL": f"sqlite:///{file}"}, "serve")
    assert done.returncode != 0
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
