"""Composed emails: complete, with safe headers, and stored without changes."""

import re

import hypothesis.strategies as st
import jinja2
import pytest
from hypothesis import given

from lead_service.emails import message as messages
from lead_service.emails import practice_context
from lead_service.emails.message import (
    Attachment,
    EmailKind,
    Message,
    Practice,
    compose,
    from_json,
    greeting_name,
    to_json,
)
from lead_service.settings import Settings
from tests.support.any_text import any_text

TEMPLATES = {
    "email/invited.html": "{% block subject %}Hello {{ name }},\n  and welcome\n{% endblock %}"
    "{% block text %}Hello {{ name }}: {{ stuck }}\n{% endblock %}"
    "{% block html %}<p>Hello {{ name }}: {{ stuck }}</p>{% endblock %}",
}
FRAME = {
    "practice": Practice(
        name="Example Practice",
        legal_name="Example Practice Ltd",
        postal_address="1 Example Street, Exampleton",
        email="hello@practice.test",
        phone="+44 20 7946 0000",
    ),
    "site": "https://practice.test/",
}
PLAIN = Message(EmailKind.INVITED, "ada@lead.test", "Ada", "Hello", "text", "<p>html</p>")

words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)
lines = words.filter(str.strip)
controls = st.characters(categories=["Cc", "Zl", "Zp"])


@pytest.fixture(autouse=True)
def templates(monkeypatch):
    """Replace the templates of one kind of email, within the product's layout."""
    for environment in (messages._bodies, messages._texts):
        both = jinja2.ChoiceLoader([jinja2.DictLoader(TEMPLATES), environment.loader])
        monkeypatch.setattr(environment, "loader", both)


def welcome(**changed) -> Message:
    context = {"to": "ada@lead.test", "name": "Ada", "stuck": "nothing", **FRAME, **changed}
    return compose(EmailKind.INVITED, **context)


def test_an_email_has_a_subject_and_text_and_html_in_the_layout():
    mail = welcome()
    assert mail.subject == "Hello Ada, and welcome"
    assert mail.text.startswith("Hello Ada: nothing\n")
    assert "\n-- \nExample Practice Ltd, 1 Example Street, Exampleton\n" in mail.text
    assert re.search('<p style="[^"]+">Hello Ada: nothing</p>', mail.html)
    for part in (mail.text, mail.html):
        assert "https://practice.test/privacy/" in part
        assert "hello@practice.test" in part


def test_the_settings_hold_all_that_the_frame_shows():
    settings = Settings(practice_name="Practice & Co", public_url="http://127.0.0.1:9")
    mail = welcome(**practice_context(settings))
    assert "Practice & Co\n" in mail.text and "Practice &amp; Co" in mail.html
    assert ' href="http://127.0.0.1:9/"' in mail.html
    assert practice_context(settings).keys() == FRAME.keys()


def test_a_missing_template_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        compose(EmailKind.INVITED, to="ada@lead.test", name="Ada", **FRAME)


def test_a_line_break_in_a_subject_adds_no_header():
    mail = welcome(name="Ada\r\nBcc: everybody@lead.test")
    assert mail.subject == "Hello Ada Bcc: everybody@lead.test, and welcome"


@pytest.mark.parametrize("part", ["to", "to_name", "subject", "reply_to", "reply_to_name"])
@given(before=lines, control=controls, after=lines)
def test_no_control_character_gets_into_a_header(part, before, control, after):
    with pytest.raises(ValueError, match=part) as refusal:
        Message(**{**vars(PLAIN), part: before + control + after})
    assert control not in str(refusal.value)


@pytest.mark.parametrize("field", ["filename", "content_type"])
def test_no_control_character_gets_into_an_attachments_header(field):
    attachment = Attachment(
        **{"filename": "a", "content_type": "b/c", "content": b"", field: "a\nb"}
    )
    with pytest.raises(ValueError, match=field):
        Message(**{**vars(PLAIN), "attachments": (attachment,)})


@pytest.mark.parametrize("part", ["to", "subject", "text", "html"])
def test_an_email_with_an_empty_part_is_refused(part):
    with pytest.raises(ValueError, match=part):
        Message(**{**vars(PLAIN), part: " \n" if part in {"text", "html"} else " "})


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "O'Neil",
        "Nguyễn Thị Minh Khai",
        "عبد الله",
        "J.R. Smith",
        "Anne-Marie",
        "李",
        "A" * 40,
    ],
)
def test_a_person_is_greeted_by_name(name):
    assert greeting_name(name) == name
    assert welcome(to_name=name).to_name == name


@pytest.mark.parametrize(
    "name",
    [
        "write to sales@evil.test",
        "https://evil.test",
        "WWW.evil",
        "cheap pills at evil.test today",
        "evil\uff0etest",  # a full-width dot: programs that fold it see a domain
        "evil\u3002test",
        "ev\u200bil.te\u200bst",
        "evil\u2060.\u2060test",
        "call 192.0.2.1",
        "A" * 41,
        "Call 0900 555 now",
        "Call \u0660\u0669 now",
    ],
)
def test_a_name_that_is_an_advertisement_is_left_out(name):
    assert greeting_name(name) == ""
    assert welcome(to_name=name).to_name == ""


@given(before=any_text(), after=any_text())
def test_no_name_with_an_address_in_it_is_repeated(before, after):
    for bait in ("a@b", "http://b", "b.example"):
        assert greeting_name(before + bait + after) == ""


attachments = st.builds(Attachment, filename=lines, content_type=lines, content=st.binary())


@given(
    st.builds(
        Message,
        kind=st.sampled_from(EmailKind),
        to=lines,
        to_name=words,
        subject=lines,
        text=any_text(min_size=1).filter(str.strip),
        html=any_text(min_size=1).filter(str.strip),
        reply_to=st.none() | words,
        reply_to_name=words,
        attachments=st.lists(attachments).map(tuple),
    )
)
def test_a_stored_message_is_read_back_unchanged(message):
    assert from_json(to_json(message)) == message


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"attachments": []}', "{", '"x"', '{"context": {}}']
)
def test_invalid_stored_messages_are_reported(text):
    with pytest.raises(ValueError):
        from_json(text)
