"""Fork processes with the product imported, because its import takes longer than most commands."""

import multiprocessing
import os
import subprocess
import tempfile
import traceback
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_pages = ("lead_service.assess.routes", "lead_service.book.routes", "lead_service.desk.pages")
_own = ("tests.support.race_client", "tests.support.deliver_process")
_context.set_forkserver_preload(["lead_service.ops.cli", *_pages, *_own])
Process, Pipe, Barrier = _context.Process, _context.Pipe, _context.Barrier


def run(
    arguments: tuple[str, ...], environment: dict[str, str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run one `lead-service` command in `folder`, with only `environment`."""
    with tempfile.TemporaryDirectory() as printed:
        files = [Path(printed, name) for name in ("output", "error")]
        process = Process(target=_command, args=(arguments, environment, folder, files))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, seconds)
        output, error = (file.read_text() for file in files)
        return subprocess.CompletedProcess(arguments, process.exitcode, output, error)


def _command(
    arguments: tuple[str, ...], environment: dict[str, str], folder: Path, files: list[Path]
) -> None:
    from lead_service.ops import cli

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    try:
        cli.main(list(arguments))
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        raise SystemExit(1) from None
