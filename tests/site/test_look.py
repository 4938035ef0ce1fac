"""The settings of a practice in mkdocs.yml: menu, footer, colors, logo and icon."""

import json

import pytest
from mkdocs.exceptions import Abort

from lead_service import palette
from lead_service.publishing import links
from lead_service.publishing.assets import Look
from tests.support.built_site import ARTICLE, ROOT, build_site, small_docs

OWN = {"accent": ["#005fcc", "#7fb8ff"]}
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30">\
<path fill="#b8502f" d="M0 0h90v30z"/></svg>'
BLACK = LOGO.replace("#b8502f", "#241f18")
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


def test_menu_footer_colors_logo_and_icon_come_from_mkdocs_yml(tmp_path):
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
            {
                "colors": {"ink": ["#cccccc", "#ffffff"], "good": ["#cccccc", "#111111"]},
                "logo": "gone.png",
                "icon": "a.png",
                "nav": [{"Menu": []}],
            },
            [
                "mkdocs.yml: colors: ink: is hard to read on paper in light",
                "mkdocs.yml: colors: good: is hard to read on paper-2 in dark",
                'mkdocs.yml:{logo: "}: logo: there is no file docs/gone.png',
                'mkdocs.yml:{icon: "}: icon: a.png has to be an SVG',
                "mkdocs.yml:{nav:}: nav: Footer: is missing",
                "insights/soon.md:8: the picture has no description",
            ],
        ),
        (
            {
                "nav": [
                    {"Menu": [{"Gone": "gone.md"}, "services.md", {"Soon": "insights/soon.md"}]},
                    {"Menu": [{"": "index.md"}, {"More": []}, {"Blog": "www.example.com"}]},
                    {"Foter": [{"Privacy": "privacy.md"}]},
                ]
            },
            [
                "mkdocs.yml: nav: Menu: Gone: there is no page gone.md",
                "{Services: services.md}: nav: Menu: services.md: write what the link says",
                "mkdocs.yml: nav: Menu: Soon: insights/soon.md is not published yet",
                "nav: Menu: : write what the link says, a colon and where it leads",
                "nav: Menu: More: a menu can't contain another menu",
                "nav: Menu: Blog: write https:// before www.example.com",
                "mkdocs.yml: nav: Foter: isn't a part of nav. The parts are Menu and Footer",
                "mkdocs.yml:{nav:}: nav: Footer: is missing",
            ],
        ),
    ],
    ids=["all", "nav"],
)
def test_faults_in_mkdocs_yml_are_reported(tmp_path, caplog, wrong, said):
    draft = ARTICLE.replace("step:", "draft: true\nstep:")
    picture = ARTICLE.replace("sentence", "second sentence") + "![](soon.png)\n"
    soon = picture if "logo" in wrong else draft
    (small_docs(tmp_path) / "insights" / "soon.md").write_text(soon, "utf-8")
    with pytest.raises(Abort):
        build(tmp_path, **wrong)
    source = (ROOT / "mkdocs.yml").read_text("utf-8")
    for written in ('logo: "', 'icon: "', "Services: services.md", "nav:"):
        line = str(links.line_of(written, source))
        said = [one.replace(f"{{{written}}}", line) for one in said]
    assert [one for one in said if one not in caplog.text] == []


@pytest.mark.parametrize(
    ("svg", "said"),
    [
        (LOGO.replace("#b8502f", "#fffdf8"), "hard to see on a light background: 0% of it"),
        (BLACK, "hard to see on a dark background: 0% of it"),
        (BLACK.replace("<path", "<style>@media (prefers-color-scheme: dark){}</style><path"), None),
    ],
    ids=["white", "black", "one for each"],
)
def test_a_logo_has_to_be_seen_in_both_schemes(tmp_path, svg, said):
    (tmp_path / "logo.svg").write_text(svg)
    faults = Look(tmp_path, "logo.svg", "").faults
    assert faults == [] if said is None else said in "".join(faults)


def test_a_logo_and_an_icon_with_scripts_are_refused(tmp_path):
    (tmp_path / "a.svg").write_text(LOGO.replace("<path", '<path onclick="b()"'))
    for fault in (faults := Look(tmp_path, "a.svg", "a.svg").faults):
        assert "a.svg contains a script" in fault
    assert len(faults) == 2


def test_faults_in_data_and_in_texts_are_reported_together(tmp_path, caplog):
    docs = small_docs(tmp_path, ARTICLE + "\n# Again\n")
    for name in ("framework.yml", "calls.yml"):
        with (docs / name).open("a") as file:
            file.write("extra: 1\n")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs)
    for place in ("framework.yml:", "calls.yml:", "insights/new.md:9: only the title may be"):
        assert place in caplog.text
