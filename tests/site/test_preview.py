"""The preview: drafts included, built again at each save, and mistakes told to open pages."""

import json
import re

from lead_service.publishing.preview import Preview, mirror, stamps
from lead_service.publishing.site import Renewal
from tests.support.built_site import ARTICLE, ROOT, small_docs

WRITING = """
A claim. (1) :material-scale-balance:
{ .annotate }

1. A remark.
"""


def test_a_preview_shows_drafts_and_says_what_is_wrong_over_the_last_good_build(tmp_path):
    docs = small_docs(tmp_path, ARTICLE + WRITING, draft="true")
    config = tmp_path / "mkdocs.yml"
    text = (ROOT / "mkdocs.yml").read_text("utf-8").partition("watch:")[0]
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
    article.write_text(ARTICLE + "\n![](a.png)\n", "utf-8")
    [fault] = preview.build()
    assert fault.startswith("insights/new.md:9: the picture has no description")
    assert state() == {**before, "faults": [fault]} and "Some text." in page.read_text("utf-8")
    assert not renewal.has_come()
    article.write_text(ARTICLE.replace("A title", "Another title"), "utf-8")
    assert preview.build() == [] and state()["build"] != before["build"]
    assert "Another title" in page.read_text("utf-8")
    assert renewal.has_come() and not renewal.has_come()  # the service has to read titles again


def test_a_folder_becomes_like_another_without_touching_what_is_the_same(tmp_path):
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
