"""Parse a calendar file in a separate process with limits on time and memory.

A file of a few lines can cause years of work: an event each second, a rule that never
matches. Nothing inside the process can stop that, so it runs outside: `python -m
lead_service.book.calendars.sandbox` reads the request from stdin and writes the busy times.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Collection
from datetime import datetime

from ..availability.slots import Busy
from .components import NotUnderstood
from .fetch import Unreadable
from .parse import ParsedCalendar, parse_calendar

PROCESSOR_SECONDS = 20
SECONDS = 60  # on a busy machine
MEMORY = 400_000_000  # bytes of address space; a 50 MB file of ten years needs half of it


def parse_in_process(
    content: bytes,
    zone: str,
    start: datetime,
    end: datetime,
    ours: Collection[str] = (),
    email: str = "",
) -> ParsedCalendar:
    """Run `parse.parse_calendar` in another process with limits; raise Unreadable."""
    question = {
        "zone": zone,
        "start": str(start),
        "end": str(end),
        "ours": list(ours),
        "email": email,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(question).encode() + b"\n" + content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("takes too long to read") from None
    if done.returncode:
        raise Unreadable("is too complex to read")
    answer = json.loads(done.stdout)
    if fault := answer.get("fault"):
        raise Unreadable(fault)
    instant = datetime.fromisoformat
    busy = [Busy(instant(start), instant(end)) for start, end in answer["busy"]]
    return ParsedCalendar(busy, answer["widened"])


def _environment() -> dict[str, str]:
    """Return an environment with everything Python needs and none of our secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | {"PYTHONTZPATH": ""}


def main() -> None:
    """Handle one request, in JSON.

    The response is {"busy": [[start, end], ...], "widened": [text, ...]} or {"fault": text}.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    question = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    start, end = (datetime.fromisoformat(question[name]) for name in ("start", "end"))
    try:
        found = parse_calendar(
            content, question["zone"], start, end, set(question["ours"]), question["email"]
        )
    except NotUnderstood as fault:
        print(json.dumps({"fault": str(fault)}))
    else:
        busy = [[str(one.start), str(one.end)] for one in found.busy]
        print(json.dumps({"busy": busy, "widened": found.widened}))


if __name__ == "__main__":
    main()
