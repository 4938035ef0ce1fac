"""Every pair of colors that carries text is legible, in light and in dark (WCAG 2.2, 1.4.3)."""

import re

import pytest

from tests.support.built_site import ROOT

SHEET = (ROOT / "site_overrides/styles/tokens.css").read_text("utf-8")
PLAIN = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", SHEET))
BOTH = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", SHEET)
LIGHT = {name: light for name, light, _ in BOTH}
DARK = {name: dark for name, _, dark in BOTH}
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


def test_browsers_that_know_one_scheme_get_the_light_one():
    assert PLAIN == LIGHT
    assert len(TEXT) == 11
