"""Every pair of colors that carries text is legible, in light and in dark (WCAG 2.2, 1.4.3)."""

import re

import pytest

from tests.support.built_site import ROOT

SHEET = (ROOT / "site_overrides/styles/tokens.css").read_text("utf-8")
BLOCKS = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r"\{([^{}]*--paper:[^{}]*)\}", SHEET)
]
LIGHT, DARK, CHOSEN_DARK = BLOCKS
TEXT = ["ink", "ink-2", "accent", "good", "bad"] + [name for name in LIGHT if "hue-" in name]


def luminance(color: str) -> float:
    """Return the relative luminance of a #rrggbb color, 0 to 1, as WCAG 2.2 defines it."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_paper(scheme):
    for name in TEXT:
        for paper in ("paper", "paper-2"):
            assert contrast(scheme[name], scheme[paper]) >= 4.5, (name, paper)
    assert contrast(scheme["accent-ink"], scheme["accent"]) >= 4.5
    assert contrast(scheme["focus"], scheme["paper"]) >= 3


def test_dark_is_the_same_whether_chosen_or_followed():
    assert DARK == CHOSEN_DARK
    assert len(TEXT) == 11
