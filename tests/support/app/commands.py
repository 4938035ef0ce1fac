"""The commands as an operator types them, run in this process."""

import io
import os
from contextlib import redirect_stderr, redirect_stdout

import pytest

from lead_service.ops import cli


def run_here(*arguments: str) -> tuple[int, str, str]:
    """Run a command and return its exit status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    mask = os.umask(0o022)
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
    finally:
        os.umask(mask)
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()
