# ruff: noqa: RUF001 (signs that look alike are the subject here)
"""Quotes, dashes and dots are set as a typesetter would, whatever stands around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import markdown

from lead_service.publishing.typography import Typography, typeset

TYPED = st.text(alphabet="ab \"'.-(tm)\n", max_size=30)


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ('"Yes," she said.', "“Yes,” she said."),
        ("It's the team's '90s idea.", "It’s the team’s ’90s idea."),
        ("\"'Done' is the word\"", "“‘Done’ is the word”"),
        ("Wait... pages 3--4 --- all", "Wait… pages 3–4 — all"),
        ("ACTION(tm)", "ACTION™"),
        ('(a "quoted" aside)', "(a “quoted” aside)"),
    ],
)
def test_typed_signs_become_printed_ones(typed, printed):
    assert typeset(typed) == printed


@given(TYPED)
def test_no_typed_sign_is_left_and_setting_twice_changes_nothing(text):
    once = typeset(text)
    assert not set("\"'") & set(once) and "..." not in once and "--" not in once
    assert typeset(once) == once


@given(TYPED, st.text(alphabet="ab (", max_size=1))
def test_setting_in_pieces_is_setting_the_whole_where_no_sign_is_cut(text, before):
    whole = typeset(text, before)
    assert typeset(text + " " + text, before) == f"{whole} {typeset(text, ' ')}"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ('A *"quoted"* word', "A <em>“quoted”</em> word"),
        ('A "*quoted*" word', "A “<em>quoted</em>” word"),
        ("the `--flag` it's", "the <code>--flag</code> it’s"),
        ("`code`'s end", "<code>code</code>’s end"),
        ('<b title="x">"y"</b>', '<b title="x">“y”</b>'),
    ],
)
def test_markup_and_code_stay_as_they_are(source, shown):
    assert markdown(source, extensions=[Typography()]) == f"<p>{shown}</p>"
