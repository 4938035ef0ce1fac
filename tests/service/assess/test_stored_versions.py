"""Editing the framework: earlier results open unchanged, and faults are reported."""

import shutil
from html import unescape
from pathlib import Path

import pytest

from lead_service import create_app
from lead_service.action_framework.loading import load as load_framework
from lead_service.assess import models
from lead_service.settings import load
from tests.service.conftest import Browser
from tests.support.app.visitor_forms import WORST, answers, assess, begin

ASKED, ASKED_NOW = "How is the expected benefit written down?", "Which figure makes the case?"
CONDITION = "The expected benefit is written down as a target figure"
CONDITION_NOW = "The benefit is written down as a target figure"
DATED = "Answered on Monday, November 23, 2026, with the questions as they were then."


@pytest.fixture
def edit(environment, site_dir, tmp_path):
    """Publish the site again with replaced texts of its framework; return its folder."""

    def publish(*changes: tuple[str, str]) -> Path:
        folder = tmp_path / "edited"
        shutil.copytree(site_dir, folder, dirs_exist_ok=True)
        text = (folder / "framework.yml").read_text("utf-8")
        for before, after in changes:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        (folder / "framework.yml").write_text(text, "utf-8")
        environment["SITE_DIR"] = str(folder)
        return folder

    return publish


@pytest.fixture
def client_after(environment):
    """Restart the application on the same database with the present site."""
    apps = []

    def start():
        app = create_app(load(environment))
        app.test_client_class = Browser
        apps.append(app)
        return app.test_client()

    yield start
    for app in apps:
        app.extensions["lead_service"].database.close()


REWORDED = ((ASKED, ASKED_NOW), (CONDITION, CONDITION_NOW))


def test_a_result_keeps_its_wording_and_shows_its_date(client, framework, edit, client_after):
    result = assess(client, framework, WORST)
    assert DATED not in client.get(result).text
    client.post(result + "share")
    edit(*REWORDED)
    after = client_after()
    page = unescape(after.get(result).text)
    assert CONDITION in page and CONDITION_NOW not in page
    assert DATED in page
    kept = after.get(result + "save/").text
    shared = kept.split('class="share-link"><a href="http://127.0.0.1:8000')[1].split('"')[0]
    shared_page = unescape(after.get(shared).text)
    assert CONDITION in shared_page and DATED in shared_page
    assert after.get(result.replace("/result/", "/result.pdf")).data.startswith(b"%PDF-")


def test_an_unfinished_assessment_keeps_its_version_of_the_questions(
    client, framework, edit, client_after
):
    begun = begin(client, framework)
    edit(*REWORDED)
    after = client_after()
    assert ASKED in after.get(begun + "clarify/").text
    assert after.post(begun + "clarify/", data=answers(framework, "clarify", 1)).status_code == 303
    assert ASKED_NOW in after.get(begin(after, framework) + "clarify/").text


def test_an_answer_that_is_no_longer_published_still_counts_where_it_was_given(
    client, framework, edit, client_after
):
    result = assess(client, framework, {"clarify": WORST})
    edit(("- id: belief\n", "- id: faith\n"), (" belief: We", " faith: We"))
    assert "Your result: Begin with Clarify" in client_after().get(result).text


# Faults


def faults(database, *changes: tuple[str, str], text: str) -> list[str]:
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    with database.read() as session:
        return models.stored_version_faults(session, load_framework(text))


def test_rewording_a_question_is_allowed(client, framework, database):
    assess(client, framework)
    assert faults(database, *REWORDED, text=framework.text) == []
    assert faults(database, text=framework.text) == []


SWAPPED = (
    ("- id: clarify-case\n", "- id: elsewhere\n"),
    ("open: [clarify-case]", "open: [elsewhere]"),
    ("open: [clarify-case, ", "open: [elsewhere, "),
    ("- id: organize-say\n", "- id: clarify-case\n"),
    ("open: [organize-say]", "open: [clarify-case]"),
    ("open: [organize-say, ", "open: [clarify-case, "),
)


def test_the_id_of_a_question_may_not_move_to_another_step(client, framework, database):
    assess(client, framework)
    (fault,) = faults(database, *SWAPPED, text=framework.text)
    assert fault.startswith("question clarify-case: this id belonged to a question of Clarify")
    assert "give the one of Organize a new id" in fault


def test_the_id_of_an_answer_may_not_move_to_another_level(client, framework, database):
    assess(client, framework)
    moved = (
        ("- id: belief\n", "- id: somewhere\n"),
        ("- id: words\n", "- id: belief\n"),
        (" words: >-\n", " belief: >-\n"),
    )
    (fault,) = faults(database, *moved, text=framework.text)
    assert fault.startswith("question clarify-case, answer belief: this id was answer 1 of four")


def test_unused_versions_are_not_compared(client, framework, database):
    result = assess(client, framework)
    client.post(result.replace("/result/", "/delete"))
    assert faults(database, *SWAPPED, text=framework.text) == []
