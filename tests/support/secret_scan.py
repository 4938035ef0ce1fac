"""Find keys and passwords in the repository: `make secrets`.

By the formats of providers' keys, and by long random values beside a suspicious name. A value
for tests says so in its text.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from math import log2
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {
    "a SendGrid key": r"SG\.[\w-]{16,32}\.[\w-]{32,64}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "an AWS key": r"A[KS]IA[A-Z0-9]{16}\b",
    "a GitHub token": r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,}",
    "a Slack token": r"xox[abprs]-[\w-]{20,}",
    "a Stripe key": r"k_live_\w{20,}",
    "a Google key": r"AIza[\w-]{35}\b",
    "a JSON web token": r"eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}",
    "a password in an address": r"://[^\s:/@'\"{}$<]+:(?=[^@]*\d)[^\s:/@'\"{}$<]{8,}@",
}
NAMED = re.compile(
    r"(?:secret|passw(?:or)?d|token|api_?key|credential)\w*['\"]?\s*[:=]\s*['\"]([\w+/=.-]{20,})['\"]",
    re.IGNORECASE,
)
FOR_TESTS = re.compile(r"test|example|stand-in|no-such|hunter2|0123456789", re.IGNORECASE)
LEAST_ENTROPY = 3.5  # bits per character; words have less


def found_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of possible secrets."""
    for kind, shape in SHAPES.items():
        for match in re.finditer(shape, text):
            if not FOR_TESTS.search(match[0]):
                yield _line(match), kind
    for match in NAMED.finditer(text):
        if not FOR_TESTS.search(match[1]) and _entropy(match[1]) > LEAST_ENTROPY:
            yield _line(match), "a random value beside a telling name"


def _line(match: re.Match[str]) -> int:
    return match.string.count("\n", 0, match.start()) + 1


def _entropy(text: str) -> float:
    shares = [text.count(letter) / len(text) for letter in set(text)]
    return -sum(share * log2(share) for share in shares)


def checked_in() -> list[Path]:
    """List the files that Git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


def main() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path in checked_in()
        for line, kind in found_in(path.read_text("utf-8", errors="replace"))
    ]
    print("\n".join(faults) or "no secret is checked in")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
