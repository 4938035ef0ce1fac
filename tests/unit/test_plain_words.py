"""Words that nobody says aloud stay out of what visitors read on the site and in a result."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "lead_service" / "templates"
READ = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").glob("*.yml"),
        *(TEMPLATES / "assess").glob("*.html"),
        *(TEMPLATES / "desk" / "auth").glob("*.html"),
    ]
)
CODE = re.compile(r"<!--.*?-->|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]+>", re.DOTALL)
INSTEAD = {
    r"mails?|mailed": "email",
    r"any more": "anymore, or no longer",
    r"cancelled": "canceled",
    r"and nothing else": "only",
    r"one press|used up|mended": "a button, fixed",
    r"stands? in (a|your) .*way": "a problem",
}


@pytest.mark.parametrize("file", READ, ids=lambda file: file.name)
def test_what_people_read_has_a_plain_word_instead_of(file):
    said = CODE.sub(" ", file.read_text("utf-8"))
    found = [
        f"{match[0]} (write: {plain})"
        for words, plain in INSTEAD.items()
        for match in re.finditer(rf"\b(?:{words})\b", said, re.IGNORECASE)
    ]
    assert found == []
