"""What a practice changes in mkdocs.yml: menu, footer, colors, logo and icon."""

import json

import pytest
from mkdocs.exceptions import Abort

from lead_service import palette
from tests.support.built_site import build_site, small_docs

OWN = {"accent": ["#005fcc", "#7fb8ff"]}
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h90v30z"/></svg>'
NAV = [
    {"Menu": [{"Ideas": "insights/index.md"}, {"Shop": "https://shop.example.com"}]},
    {"Footer": [{"Write": "/contact/"}, {"Imprint": "imprint.md"}]},
]


@pytest.fixture(autouse=True)
def _ours():
    yield
    palette.use({})


def build(tmp_path, nav=NAV, **look):
    docs = small_docs(tmp_path)
    (docs / "logo.svg").write_text(LOGO)
    return build_site(tmp_path / "site", docs, nav=nav, plugins=[{"publishing": look}])


def test_menu_footer_colors_logo_and_icon_are_what_mkdocs_yml_says(tmp_path):
    site = build(tmp_path, colors=OWN, logo="logo.svg", icon="logo.svg")
    page = (site / "insights/new/index.html").read_text("utf-8")
    assert '<a href="/insights/" aria-current="true">Ideas</a>' in page
    assert '<a href="https://shop.example.com">Shop</a>' in page
    assert '<a href="/contact/?from=new">Write</a>' in page and "Imprint" not in page
    assert "--accent: light-dark(#005fcc, #7fb8ff)" in page
    assert page.count('width="96" height="32" alt="ACTION Advisory">') == 2
    [icon] = site.glob("assets/icon.*.svg")
    assert icon.read_text() == LOGO
    assert json.loads((site / "colors.json").read_text()) == OWN


def test_our_icon_has_the_color_of_the_practice(tmp_path):
    [icon] = build(tmp_path, colors=OWN).glob("assets/icon.*.svg")
    assert "fill:#005fcc" in icon.read_text()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"colors": {"ink": ["#cccccc", "#ffffff"]}},
            "colors: ink: is hard to read on paper in light",
        ),
        ({"logo": "gone.png"}, "logo: there is no file docs/gone.png"),
        ({"icon": "a.png"}, "icon: a.png has to be an SVG"),
        ({"nav": [{"Menu": [{"Gone": "gone.md"}]}]}, "nav: Menu: Gone: there is no page gone.md"),
        ({"nav": [{"Menu": ["services.md"]}]}, "nav: Menu: services.md: write what the link says"),
    ],
)
def test_what_is_wrong_in_mkdocs_yml_is_said(tmp_path, caplog, wrong, said):
    with pytest.raises(Abort):
        build(tmp_path, **wrong)
    assert f"mkdocs.yml: {said}" in caplog.text
