"""The preview: drafts, a rebuild at each save, and mistakes shown in the browser."""

import json
import re
import socket

import pytest
from mkdocs.exceptions import Abort

from lead_service.publishing.faults import config_faults
from lead_service.publishing.preview import Preview, mirror, port_to_use, stamps
from lead_service.publishing.site import Renewal
from tests.support.built_site import ARTICLE, ROOT, small_docs

WRITING = """
A claim. (1) :material-scale-balance:
{ .annotate }

1. A remark.
"""


def test_a_preview_shows_drafts_and_reports_faults_over_the_last_good_build(tmp_path):
    docs = small_docs(tmp_path, ARTICLE + WRITING, draft="true")
    config = tmp_path / "mkdocs.yml"
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    text = re.sub(r"(?s)\nnav:.*?\n\n", "\nnav: []\n\n", text)
    text = text.replace("custom_dir: site_overrides", f"custom_dir: {ROOT}/site_overrides")
    config.write_text(f"docs_dir: {docs}\n{text}", "utf-8")
    site = tmp_path / "site"
    preview, page, article = (
        Preview(config, site),
        site / "insights/new/index.html",
        docs / "insights/new.md",
    )

    def state() -> dict:
        return json.loads((site / "preview.json").read_text("utf-8"))

    assert preview.build() == []
    assert "mkdocs-draft-marker" in page.read_text("utf-8")
    assert 'src="/assets/preview.' in page.read_text("utf-8")
    assert 'class="annotation"' in page.read_text("utf-8") and "<svg" in page.read_text("utf-8")
    before, renewal = state(), Renewal(site)
    article.write_text(ARTICLE + "\n# Again\n", "utf-8")
    [fault] = preview.build()
    assert fault.startswith("insights/new.md:9: only the title may be")
    assert state() == {**before, "faults": [fault]} and "Some text." in page.read_text("utf-8")
    assert not renewal.has_come()
    again = ARTICLE.replace("A title", "Another title").replace("step", "publish: 2999-01-05\nstep")
    article.write_text(again, "utf-8")
    assert preview.build() == [] and state()["build"] != before["build"]
    assert "Another title" in page.read_text("utf-8")
    assert "On the site from January 5, 2999</div>" in page.read_text("utf-8")
    assert renewal.has_come() and not renewal.has_come()  # the service has to reload titles
    vanished = docs / "insights/vanished.md"
    vanished.symlink_to("nowhere")
    assert preview.build() == [f"{vanished}: there is no such file"]
    config.write_text("nav: [", "utf-8")
    assert preview.build()[0].startswith("mkdocs.yml:1: opens a bracket")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("colors: {}", "colors: {accent: [#05c, #7bf]}", "a # begins a comment"),
        ("      - About", "     - About", "does not fit the lines above it"),
        ("colors: {}", "colors: red", "colors: has to be lines with names and values"),
        ("logo:", "lego:", "lego: there is no setting with this name"),
    ],
)
def test_a_mistake_in_mkdocs_yml_is_reported_by_line_in_plain_words(tmp_path, right, wrong, said):
    config = tmp_path / "mkdocs.yml"
    source = (ROOT / "mkdocs.yml").read_text("utf-8").replace(right, wrong)
    config.write_text(source.replace("site_overrides", f"{ROOT}/site_overrides", 1), "utf-8")
    line = source.count("\n", 0, source.index(wrong)) + 1
    with pytest.raises(Abort, match=f"mkdocs.yml:{line}: {said}"):
        config_faults.read(config, docs_dir=str(ROOT / "docs"))


def test_a_value_that_is_only_a_comment_is_named():
    source = 'icon: "a.svg" # right\nlogo: #05c\n'
    assert [one.partition(": a #")[0] for one in config_faults.lost(source)] == [
        "mkdocs.yml:2: logo"
    ]


def test_a_preview_on_a_port_that_is_taken_ends_with_a_sentence(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        with pytest.raises(SystemExit, match=r"is in use\. Stop the program"):
            port_to_use()


def test_mirroring_a_folder_leaves_equal_files_untouched(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, files in ((new, {"a/b": "1", "c": "2"}), (old, {"a/b": "1", "c": "0", "d/e": "3"})):
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    before = stamps(old)
    mirror(new, old)
    after = stamps(old)
    assert (old / "c").read_text() == "2" and not (old / "d/e").exists()
    assert after[str(old / "a/b")] == before[str(old / "a/b")]
    assert {*after} == {str(old / name) for name in ("a/b", "c")}
