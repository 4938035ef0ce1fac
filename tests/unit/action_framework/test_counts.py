"""Counts of the self-assessment's questions, in words."""

import copy
import json
import re
from pathlib import Path

import pytest

from lead_service.action_framework.counts import counts, spelled
from lead_service.action_framework.loading import load

from .test_loading import DATA, FRAMEWORK

ROOT = Path(__file__).parents[3]
WRITTEN = re.compile(
    r"twelve questions|other ten|(?:two|both|of) (?:its )?two questions"
    r"|(?:three|four) minutes|answer six steps|step \d of 6|of 6\b",
    re.IGNORECASE,
)


def with_questions(*numbers):
    """Return the framework with that many questions for each step."""
    data = copy.deepcopy(DATA)
    for step, number in zip(data["steps"], numbers, strict=True):
        first = step["questions"][0]
        more = [first | {"id": f"{first['id']}-{n}"} for n in range(2, number + 1)]
        step["questions"] = [first, *more]
    return load(json.dumps(data | {"engagements": data["engagements"]}), kept=True)


def test_the_counts_are_those_of_the_file():
    known = counts(FRAMEWORK)
    assert (known.questions, known.steps, known.minutes) == ("twelve", "six", "four minutes")
    assert (known.of(FRAMEWORK.steps[0]), known.others(FRAMEWORK.steps[0])) == (
        "two questions",
        "ten",
    )


def test_a_step_may_have_one_to_three_questions():
    framework = with_questions(1, 3, 2, 1, 1, 1)
    known = counts(framework)
    assert known.questions == "nine"
    assert [known.of(step) for step in framework.steps[:2]] == ["one question", "three questions"]
    assert [known.others(step) for step in framework.steps[:2]] == ["eight", "six"]


def test_more_to_read_takes_more_minutes():
    minutes = [counts(with_questions(*[number] * 6)).minutes for number in (1, 2, 3)]
    assert minutes == ["two minutes", "four minutes", "six minutes"]


def test_large_numbers_are_written_in_digits():
    assert [spelled(number) for number in (0, 18, 19, 36)] == ["no", "eighteen", "19", "36"]


@pytest.mark.parametrize("folder", ["docs", "site_overrides", "lead_service/templates"])
def test_no_page_contains_a_literal_count(folder):
    found = []
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".md", ".html", ".txt"}:
            found += [f"{path.name}: {one}" for one in WRITTEN.findall(path.read_text("utf-8"))]
    assert found == []
