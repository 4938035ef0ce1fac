"""The short form of every program in this folder; `make soak` runs the long ones."""

from importlib import import_module
from pathlib import Path

import pytest

from .__main__ import PROGRAMS

SHORT = ("clocks",)
LONG = (
    ("disk", "sqlite"),
    ("kills", "sqlite"),
    ("kills", "postgresql"),
    ("stops", "sqlite"),
    ("stops", "postgresql"),
    ("provider", "postgresql"),
    ("slow", "sqlite"),
)


@pytest.fixture
def outside(environment) -> dict[str, str]:
    """Return the environment of processes outside the test process."""
    return environment | {"LOG_LEVEL": "ERROR"}


@pytest.mark.parametrize(
    ("name", "db_url"),
    [
        *((name, "sqlite") for name in SHORT),
        *(pytest.param(*program, marks=pytest.mark.long) for program in LONG),
    ],
    indirect=["db_url"],
)
def test_the_fault_program_passes(name, outside, capsys):
    counted = import_module(f"tests.faults.{name}").run(outside, 1)
    with capsys.disabled():
        print(f"\n{name}:", ", ".join(f"{what} {number}" for what, number in counted.items()))


def test_every_program_has_a_long_form():
    found = {
        one.stem for one in Path(__file__).parent.glob("*.py") if "\ndef run(" in one.read_text()
    }
    assert found == set(PROGRAMS) == {*SHORT, *dict(LONG)}
