"""Every pair of colors that carries text is legible, in light and in dark (WCAG 2.2, 1.4.3)."""

import colorsys
import re
from itertools import combinations

import pytest

from lead_service import palette
from lead_service.palette import DARK, LIGHT
from tests.support.built_site import ROOT

TEXT = ["ink", "ink-2", "accent", "good", "bad"] + [name for name in LIGHT if "hue-" in name]
SOURCES = ("*.css", "*.html", "*.typ", "*.py")
COLOR = re.compile(r"#[0-9a-f]{6}\b")


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
    for fill in ("accent", "danger"):
        assert contrast(scheme[f"{fill}-ink"], scheme[fill]) >= 4.5
    assert contrast(scheme["focus"], scheme["paper"]) >= 3


def test_action_error_and_destruction_have_colors_of_their_own():
    for scheme in (LIGHT, DARK):
        for one, other in combinations(("accent", "bad", "danger"), 2):
            hues = [hue(scheme[one]), hue(scheme[other])]
            apart = abs(hues[0] - hues[1])
            lightness = contrast(scheme[one], scheme[other])
            assert min(apart, 360 - apart) > 20 or lightness > 1.5, (one, other)


def test_the_accent_stays_itself_in_the_dark():
    assert abs(hue(LIGHT["accent"]) - hue(DARK["accent"])) < 5


def hue(color: str) -> float:
    """Return the hue of a #rrggbb color in degrees."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return colorsys.rgb_to_hls(*channels)[0] * 360


def test_no_other_file_holds_a_color():
    """Print alone is black on white."""
    folders = (ROOT / "site_overrides", ROOT / "lead_service")
    files = [path for folder in folders for kind in SOURCES for path in folder.rglob(kind)]
    own = {
        path.relative_to(ROOT).as_posix(): COLOR.findall(path.read_text("utf-8")) for path in files
    }
    assert [path for path, found in own.items() if found] == ["lead_service/palette.py"]


def test_older_browsers_get_plain_colors_first():
    plain, both = palette.css().split("@supports", 1)
    assert dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", plain)) == LIGHT
    assert len(re.findall(r"--[\w-]+: light-dark", both)) == len(LIGHT)
