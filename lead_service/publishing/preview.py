"""Preview the site during editing, together with the service: `make preview`.

Each save rebuilds the site, including drafts and future articles. An open page then reloads,
or shows the faults with file and line above the last build without faults.
"""

import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from filecmp import cmp
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import copyfile

from mkdocs.commands.build import build
from mkdocs.exceptions import Abort

from .. import settings
from .faults import config_faults
from .plugin import BRIEF
from .site import BUILT

ROOT = Path(__file__).resolve().parents[2]
STATE = "preview.json"  # polled by open pages
LOOK_SECONDS = 0.1
ATTEMPTS = 3  # of a build in which a file disappears
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Preview</title>
<meta http-equiv="refresh" content="1"><body>
<h1>The site cannot be built yet</h1><pre>{}</pre></body></html>"""


class Preview:
    """A folder of docs, rebuilt into `site` after each change."""

    def __init__(self, config: Path, site: Path) -> None:
        self._config, self._site = config, site
        self._fresh = site.with_name(f"{site.name}-new")
        self._number = time.time_ns()

    def build(self) -> list[str]:
        """Build, publish the result, and return the faults."""
        for _ in range(ATTEMPTS):
            try:
                faults = self._build()
                break
            except FileNotFoundError as gone:  # an editor may have renamed the file
                faults = [f"{gone.filename}: there is no such file"]
        if not faults:
            mirror(self._fresh, self._site)
            self._number += 1
        self._tell(faults)
        return faults

    def _build(self) -> list[str]:
        """Build, and return the faults."""
        said, logger = config_faults.Said(), logging.getLogger("mkdocs")
        logger.propagate = False
        try:
            config = config_faults.read(self._config, site_dir=str(self._fresh))
            logger.addHandler(said)
            config.plugins.on_startup(command="serve", dirty=False)
            build(config, serve_url=config.site_url)
        except Abort as error:
            # MkDocs logs an unreadable page in a separate line before the reason.
            lines = [line for line in said.lines if not line.startswith("Error reading page")]
            return lines or str(error).splitlines()
        except FileNotFoundError:
            raise
        except Exception as error:  # another save may fix an unforeseen error
            traceback.print_exc()
            return [f"The site cannot be built: {type(error).__name__}: {error}"]
        finally:
            logger.removeHandler(said)
        return said.lines

    def _tell(self, faults: list[str]) -> None:
        if not (self._site / "200.html").exists():
            return
        state = json.dumps({"build": str(self._number), "faults": faults})
        (self._site / STATE).write_text(state, "utf-8")
        (self._site / BUILT).touch()


def mirror(source: Path, target: Path) -> None:
    """Update a folder from another one file by file, so that no page is missing meanwhile."""
    wanted, there = _files(source), _files(target)
    for path in wanted:
        if path not in there or not cmp(source / path, target / path, shallow=False):
            old = target / path
            old.parent.mkdir(parents=True, exist_ok=True)
            unfinished = old.with_name(f".{old.name}.new")
            copyfile(source / path, unfinished)
            unfinished.replace(old)
    for path in there - wanted - {STATE, BUILT}:
        (target / path).unlink()


def _files(folder: Path) -> set[str]:
    """List the files of a folder by their paths in it."""
    begin = len(f"{folder}/")  # relative_to would double the time
    return {f"{root}/{name}"[begin:] for root, _, names in os.walk(folder) for name in names}


def stamps(*folders: Path) -> dict[str, int]:
    """Return each file's time of change, in nanoseconds."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*") if folder.is_dir() else [folder]:
            try:
                if path.is_file():
                    found[str(path)] = path.stat().st_mtime_ns
            except OSError:  # an editor is replacing the file
                continue
    return found


def show_until(is_done: Callable[[], list[str]], faults: list[str], port: int) -> None:
    """Show the faults on the service's port, since the service needs a site to start."""
    said = list(faults)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = "\n\n".join(said).replace("&", "&amp;").replace("<", "&lt;")
            body = PAGE.format(text).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        server.timeout = LOOK_SECONDS
        while said:
            server.handle_request()
            said[:] = is_done()


class Watch:
    """Rebuild when a source has changed; otherwise return the last faults."""

    def __init__(self, preview: Preview, sources: tuple[Path, ...]) -> None:
        self._preview, self._sources = preview, sources
        self._seen = stamps(*sources)
        self.faults = self._build()

    def look(self) -> list[str]:
        if (now := stamps(*self._sources)) != self._seen:
            self._seen = now
            self.faults = self._build()
        return self.faults

    def _build(self) -> list[str]:
        began = time.monotonic()
        faults = self._preview.build()
        print("\n".join(faults) or f"Built in {time.monotonic() - began:.1f} s", flush=True)
        return faults


def port_to_use() -> int:
    """Return the port of the settings; exit with a message if it is in use."""
    try:
        port = settings.load_for_site().port
    except settings.SettingsError as error:
        sys.exit(str(error))
    try:
        with socket.create_server(("127.0.0.1", port)):
            return port
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            sys.exit(f"Port {port} cannot be used ({error.strerror}). Change PORT.")
        sys.exit(f"Port {port} is in use. Stop the program that uses it, or change PORT.")


def main() -> None:
    port = port_to_use()
    site = Path(os.environ["SITE_DIR"]).resolve()
    site.mkdir(parents=True, exist_ok=True)
    sources = (ROOT / "docs", ROOT / "site_overrides", ROOT / "mkdocs.yml", BRIEF)
    watch = Watch(Preview(ROOT / "mkdocs.yml", site), sources)
    if watch.faults and not (site / "200.html").exists():
        show_until(watch.look, watch.faults, port)
    service = subprocess.Popen([sys.executable, "-m", "lead_service", "serve"])
    # Treat SIGTERM as an interrupt, so that the service doesn't outlive the preview.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while service.poll() is None:
            watch.look()
            time.sleep(LOOK_SECONDS)
        sys.exit(service.returncode)  # the service has printed the reason
    except KeyboardInterrupt:
        print("Stopping", flush=True)
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    main()
