"""The table of faults: every row names tests that exist."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (HERE / "rows.md").read_text("utf-8").splitlines()
    if re.match(r"\| \d", line)
]
WRITTEN = {
    name
    for path in HERE.parent.rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}
LATER = 2  # the priority of rows that need no test
NEVER_USED = 14  # an unused number


def test_every_test_that_is_named_exists():
    for row in ROWS:
        named = re.findall(r"`(test_\w+)`", row[-1])
        assert set(named) <= WRITTEN, (row[0], set(named) - WRITTEN)
        assert named or int(row[1]) == LATER, row[0]


def test_no_fault_is_missing_from_the_table():
    numbers = [n for n in range(1, 105) if n != NEVER_USED]
    assert [int(row[0]) for row in ROWS] == numbers
    assert {row[1] for row in ROWS} == {"0", "1", "2"}
