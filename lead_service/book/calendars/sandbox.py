"""Read a calendar file in a process of its own, which ends when it takes too much.

A file of a few lines can ask for a year's work: an event each second, a rule that never comes
round. Nothing inside a process ends that, so it happens outside: `python -m
lead_service.book.calendars.sandbox` gets the question on its input and writes the busy times.
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
SECONDS = 60  # on a machine that has other things to do
MEMORY = 400_000_000  # bytes of address space; ten years in a file of 50 MB take half of it


def parse_in_process(
    content: bytes,
    zone: str,
    start: datetime,
    end: datetime,
    ours: Collection[str] = (),
    email: str = "",
) -> ParsedCalendar:
    """Do `parse.parse_calendar` in another process, within bounds; raise Unreadable in words."""
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
        raise Unreadable("takes too long to work out") from None
    if done.returncode:
        raise Unreadable("takes too much to work out")
    answer = json.loads(done.stdout)
    if fault := answer.get("fault"):
        raise Unreadable(fault)
    instant = datetime.fromisoformat
    busy = [Busy(instant(start), instant(end)) for start, end in answer["busy"]]
    return ParsedCalendar(busy, answer["widened"])


def _environment() -> dict[str, str]:
    """Give what Python needs to start, the zones of our own package, and none of our secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | {"PYTHONTZPATH": ""}


def main() -> None:
    """Answer one question, in JSON.

    The answer is {"busy": [[start, end], ...], "widened": [words, ...]} or {"fault": words}.
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
