"""Common YAML mistakes in the framework file, each reported at its place."""

from pathlib import Path

import pytest

from lead_service.action_framework.loading import load
from lead_service.action_framework.yaml_source import DataError

TEXT = (Path(__file__).parents[3] / "docs" / "framework.yml").read_text("utf-8")
CASE = "text: We believe that it will pay off. Nothing is written down."
REASON = "        reason: An executive can approve a target figure, and"
HERE = "(clarify, clarify-case, belief): "
BELOW = "put quotes around the text, or write >- after the key's colon"


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


def fault(before: str, after: str) -> str:
    """Edit the file at one place and return the reported fault."""
    assert TEXT.count(before) == 1
    with pytest.raises(DataError) as refused:
        load(TEXT.replace(before, after))
    return str(refused.value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("text: We believe: it pays off.", f"line as its key can't contain a colon: {BELOW}"),
        ("text: 'We don't believe", "opens with a quotation mark: one more has to end the line"),
        ('text: "We believe', "opens with a quotation mark: one more has to end the line"),
        ('text: "We believe" is what they say', "opens with a quotation mark"),
        ("text: *We believe*", f"a text can't begin with this character: {BELOW}"),
        ("text: % of people believe", f"a text can't begin with this character: {BELOW}"),
        ("text: - we believe", f"a text can't begin with a dash: {BELOW}"),
        ("text: [sic] we believe", f"opens a bracket and does not end with it: end it, {BELOW}"),
        ("text:We believe", "needs a space after the colon"),
        ("text: We are # 1 here", f"everything from # on is lost: {BELOW}"),
    ],
)  # fmt: skip
def test_a_text_that_yaml_would_misread_is_named_by_its_answer(typed, said):
    message = fault(CASE, typed)
    assert "\n" not in message
    assert message.startswith(f"line {line_of(CASE)} ")
    assert HERE in message and said in message


@pytest.mark.parametrize("typed", ["\t" + REASON.strip(), REASON.replace("  ", "\u00a0 ", 1)])
def test_a_line_that_is_not_indented_with_spaces_is_named(typed):
    message = fault(REASON, typed)
    assert message == (
        f"line {line_of(REASON)} (clarify, clarify-case): is indented with a tab or an unusual"
        " space: use plain spaces"
    )


@pytest.mark.parametrize("typed", [REASON[1:], " " + REASON])
def test_a_wrongly_indented_line_is_reported(typed):
    message = fault(REASON, typed)
    assert message.startswith(f"line {line_of(REASON)} ")
    assert " (clarify, clarify-case): does not fit the lines above it" in message


def test_a_bracket_left_open_is_named_at_its_own_line():
    steps = "until: [clarify, organize]"
    message = fault(steps, steps.removesuffix("]"))
    assert message.startswith(f"line {line_of(steps)}: opens a bracket and does not")


def test_a_colon_without_a_space_between_brackets_is_named():
    assert "assess:50: needs a space after the colon" in fault("[assess]", "{assess:50}")


@pytest.mark.parametrize(
    "typed",
    ["text: 'We are # 1'", "text: >-\n              We are # 1: “yes” [sic]", "text: We are nr.#1"],
)
def test_valid_yaml_is_not_a_mistake(typed):
    assert "We are " in load(TEXT.replace(CASE, typed)).question("clarify-case").answers[0].text


def test_a_file_in_another_encoding_is_named_by_the_line():
    file = TEXT.encode().replace(b"We believe that it", "We at a café believe it".encode("cp1252"))
    with pytest.raises(
        DataError, match=rf"^line {line_of(CASE)}: is not UTF-8: choose this encoding"
    ):
        load(file)


def test_the_same_text_with_the_line_ends_of_windows_is_the_same_version():
    assert load(TEXT.replace("\n", "\r\n").encode()).version == load(TEXT).version


def test_a_version_with_stored_results_opens_in_any_form():
    text = TEXT.replace(CASE, "text: We are # 1 here")
    assert load(text, kept=True).question("clarify-case").answers[0].text == "We are"
