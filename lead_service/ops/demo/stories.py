"""Read the made-up people and their stories from stories.yml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from . import acts
from .acts import Step, Story

_FILE = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text("utf-8"))


@dataclass(frozen=True)
class Colleague:
    """A member of the desk, who is also a host if a zone is given."""

    key: str
    name: str
    email: str
    zone: str = ""
    hours: tuple[str, ...] = ()  # of each weekday, Monday first
    country: str = ""
    region: str = ""
    meeting_link: str = ""
    since: int = 60  # days ago


def _step(after: float | str, act: str, given: dict) -> Step:
    hours = None if after == "over" else float(after)
    return Step(hours, getattr(acts, act), given)


TEAM: str = _FILE["team"]
COLLEAGUES: tuple[Colleague, ...] = tuple(Colleague(**one) for one in _FILE["colleagues"])
STORIES: tuple[Story, ...] = tuple(
    Story(**one | {"steps": tuple(_step(*step) for step in one["steps"])})
    for one in _FILE["stories"]
)
