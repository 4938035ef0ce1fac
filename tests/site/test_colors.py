"""The contrast of every pair of colors, in light and in dark (WCAG 2.2, 1.4.3)."""

import colorsys
import re
from itertools import combinations

import pytest

from lead_service import palette
from lead_service.palette import DARK, LIGHT
from tests.support.built_site import ROOT

SOURCES = ("*.css", "*.html", "*.typ", "*.py")
COLOR = re.compile(r"#[0-9a-f]{6}\b")


@pytest.fixture(autouse=True)
def _ours():
    yield
    palette.use({})


def test_our_colors_are_easy_to_read():
    palette.use({})


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"accent": ["#005fcc", "#7fb8ff"]}, None),
        ({"accent": ["#ffcc00", "#7fb8ff"]}, "accent: is hard to read on paper in light: .* 1.4"),
        ({"ink": ["#1f1a14", "#222222"]}, "ink: is hard to read on paper in dark"),
        ({"accent": ["red", "#7fb8ff"]}, "accent: needs two colors"),
        ({"acent": ["#005fcc", "#7fb8ff"]}, "acent: is not one of the colors: paper,"),
    ],
)
def test_a_practices_own_colors_have_to_be_legible(chosen, said):
    if said is None:
        palette.use(chosen)
        assert (LIGHT["accent"], DARK["accent"]) == tuple(chosen["accent"])
        assert "--accent: light-dark(#005fcc, #7fb8ff)" in palette.css()
    else:
        with pytest.raises(ValueError, match=said):
            palette.use(chosen)


def test_action_error_and_destruction_have_colors_of_their_own():
    for scheme in (LIGHT, DARK):
        for one, other in combinations(("accent", "bad", "danger"), 2):
            hues = [hue(scheme[one]), hue(scheme[other])]
            apart = abs(hues[0] - hues[1])
            lightness = palette.contrast(scheme[one], scheme[other])
            assert min(apart, 360 - apart) > 20 or lightness > 1.5, (one, other)


def test_the_accent_keeps_its_hue_in_the_dark_scheme():
    assert abs(hue(LIGHT["accent"]) - hue(DARK["accent"])) < 5


def hue(color: str) -> float:
    """Return the hue of a #rrggbb color in degrees."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return colorsys.rgb_to_hls(*channels)[0] * 360


def test_no_other_file_holds_a_color():
    """Except print, which is black on white."""
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
