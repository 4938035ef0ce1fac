"""Kinds of call: checks of docs/calls.yml, and texts that depend on it."""

from pathlib import Path

import pytest

from lead_service.action_framework.yaml_source import DataError
from lead_service.call_types import CallType, load_call_types
from tests.unit.action_framework.test_loading import FRAMEWORK

DOCS = Path(__file__).parents[2] / "docs"
ENGAGEMENTS = {one.slug for one in FRAMEWORK.engagements}
TWO = """
calls:
  - {slug: discovery, name: Discovery call, minutes: 30, description: Free.}
  - slug: review
    name: Pilot review
    minutes: 90
    description: With your numbers.
    notice: 2880
    meet: video
    confirm_first: yes
    fits: [readiness-assessment]
"""


def kinds(text: str = TWO):
    return load_call_types(text, {"readiness-assessment"})


def test_the_published_file_has_no_fault():
    calls = load_call_types((DOCS / "calls.yml").read_bytes(), ENGAGEMENTS)
    assert calls.address(calls.default) == "/book/"


def test_each_kind_has_an_address_and_a_recommendation_can_name_one():
    calls = kinds()
    discovery, review = calls.all
    assert [calls.address(one) for one in calls.all] == ["/book/", "/book/review/"]
    assert calls.fitting("readiness-assessment") == review
    assert calls.fitting("delivery-leadership") == calls.fitting(None) == discovery
    assert (review.notice, review.meet, review.confirm_first) == (2880, "video", True)
    assert (calls.find("review"), calls.find("gone")) == (review, None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ("minutes: 90", "minutes: 7"),
            "line 6 (review): calls[1].minutes: must be a multiple",
        ),
        (("slug: review", "slug: discovery"), "another kind of call has this slug"),
        (("name: Pilot review", "name: discovery call"), "another kind of call has this name"),
        (("slug: review", "slug: 2nd"), "slug: must begin with a letter"),
        (("meet: video", "meet: fax"), "meet: must be 'video' or 'phone'"),
        (("confirm_first: yes", "confirm_first: perhaps"), "must be yes or no"),
        (("[readiness-assessment]", "[nothing]"), "framework.yml has no engagement nothing"),
        (("    notice: 2880", "    notce: 2880"), "notce: unknown key"),
        (("name: Pilot review", "title: Pilot review"), "name: is missing"),
        (("calls:", "kinds:"), "calls: is missing"),
    ],
)
def test_each_fault_is_named_by_line_and_key(change, fault):
    with pytest.raises(DataError) as refused:
        kinds(TWO.replace(*change, 1))
    assert fault in str(refused.value)
    assert str(refused.value).startswith("line ")


@pytest.mark.parametrize(
    ("minutes", "length"),
    [(30, "half an hour"), (45, "45 minutes"), (60, "an hour"), (120, "two hours")],
)
def test_lengths_are_written_as_people_say_them(minutes, length):
    assert CallType("a", "A call", minutes, "Free.").length == length
