"""Every email of the product, with hostile text in every field of a visitor."""

import re
from html import unescape
from itertools import product
from pathlib import Path

import html5lib
import pytest

import lead_service
from lead_service.emails.message import LONGEST_SUBJECT, VISITOR, EmailKind
from lead_service.leads.consent import Agreed, Occasion, permission
from tests.support.app.every_email import alarm, take_every_path
from tests.unit.test_plain_words import INSTEAD

MARKUP = '<img src=//evil.example/x onerror=alert(1)> & "O\'Neil", whose name is long'
LURE = "Prize at www.evil.example"
TO_THE_VISITOR = EmailKind.of_role(VISITOR) | {EmailKind.MESSAGE_RECEIVED, EmailKind.RESULT}
TO_A_MEMBER = {
    EmailKind.SIGN_IN,
    EmailKind.INVITED,
    EmailKind.CALENDAR_PROBLEM,
    EmailKind.CALL_COLLIDES,
    EmailKind.FLOOD,
    EmailKind.ALARM,
}  # about no other person
PERMISSIONS = {
    said.text: said.may_write
    for occasion in Occasion
    for chosen in product((False, True), repeat=2)
    for said in [permission(occasion, Agreed(*chosen))]
}
TEMPLATES = Path(lead_service.__path__[0]) / "templates/email"


@pytest.fixture
def every_mail(made_once):
    """All emails of the product."""

    def make(client, context, post, mails, settings):
        typed = dict.fromkeys(("name", "company", "topic"), MARKUP)
        take_every_path(client, context, post, typed, LURE)
        return [message for _, message in mails()] + [alarm(settings)]

    return made_once(make)


def test_every_kind_of_email_has_its_template_and_is_sent_on_some_path(every_mail):
    assert {path.stem for path in TEMPLATES.glob("[!_]*")} == set(EmailKind)
    assert {message.kind for message in every_mail} == set(EmailKind)


def test_zones_are_written_for_reading(every_mail):
    texts = [message.subject + message.text + message.html for message in every_mail]
    assert any("Monday, November 23, 10:00 am New York time (EST)" in text for text in texts)
    assert not any("New_York" in text for text in texts)


def test_a_list_of_emails_shows_the_whole_subject(every_mail):
    for message in every_mail:
        assert len(message.subject) <= LONGEST_SUBJECT
        assert not message.subject.endswith("…") or message.kind == EmailKind.ALARM


def test_every_email_has_one_button_at_most(every_mail):
    assert {one.html.count('class="button"') for one in every_mail} == {0, 1}


def test_the_text_has_every_link_of_the_html(every_mail):
    for message in every_mail:
        links = re.findall('href="([^"]+)"', message.html)
        digits = re.sub(r"[^\d+]", "", message.text)
        assert len(links) > 2
        for link in links:
            is_there = unescape(link).removeprefix("mailto:") in message.text
            assert is_there or link.removeprefix("tel:") in digits, message.kind


def test_a_confirmation_has_the_agenda_of_the_call(every_mail):
    confirmations = (EmailKind.BOOKING_CONFIRMED, EmailKind.BOOKING_CHANGED)
    told = [one for one in every_mail if one.kind in confirmations and "We ask" in one.text]
    assert told
    for message in told:
        html = html5lib.parse(message.html, namespaceHTMLElements=False)
        agenda = [line.text for line in html.iter("li")]
        assert len(agenda) == 3 and all(line in message.text for line in agenda)


def test_the_first_sentence_after_a_greeting_begins_with_a_capital(every_mail):
    greeted = set()
    for message in every_mail:
        html = " ".join(html5lib.parse(message.html).itertext())
        for part in (message.text, html):
            for after in re.findall(r"\bHello\b[^,]*,\s+(\S)", part):
                assert after.isupper(), message.kind
                greeted.add(message.kind)
    assert greeted == TO_THE_VISITOR


def test_no_email_has_an_unusual_word(every_mail):
    for message in every_mail:
        said = f"{message.subject} {message.text} {unescape(message.html)}"
        found = [one for one in INSTEAD if re.search(rf"\b(?:{one})\b", said, re.IGNORECASE)]
        assert found == [], message.kind


def test_every_html_part_is_valid_and_contains_no_visitors_markup(every_mail):
    for message in every_mail:
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        tree = parser.parse(message.html)
        assert not list(tree.iter("img")), message.kind
        assert not list(tree.iter("script")), message.kind
        links = [link.get("href") for link in tree.iter("a")]
        assert not [link for link in links if "evil" in link], message.kind


def test_emails_to_the_visitor_repeat_no_free_text_and_no_advertising_name(every_mail):
    for message in every_mail:
        if message.kind in TO_THE_VISITOR:
            whole = message.subject + message.text + message.html + message.to_name
            assert "onerror" not in message.html
            assert "evil.example" not in whole.replace(MARKUP, "")
            for attached in message.attachments:
                assert b"evil.example" not in attached.content.replace(b"\r\n ", b"")


def test_emails_to_the_team_quote_the_visitor_verbatim(every_mail):
    to_hosts = [one for one in every_mail if one.kind == "booking_for_host"]
    verbatim = [one for one in to_hosts if MARKUP in one.text]
    assert verbatim
    assert all("&lt;img src=//evil.example" in one.html for one in verbatim)


def test_every_email_to_the_team_says_first_whether_a_reply_is_allowed(every_mail):
    """If not, the email has no reply-to and doesn't suggest a reply."""
    found = set()
    for message in every_mail:
        if message.kind in TO_THE_VISITOR | TO_A_MEMBER:
            continue
        found.add(message.kind)
        (said,) = [text for text in PERMISSIONS if text in message.text and text in message.html]
        assert message.text.index(said) < 300
        assert bool(message.reply_to) == bool(message.reply_to_name) == PERMISSIONS[said]
        if not PERMISSIONS[said]:
            assert "reply" not in message.text.lower() + message.html.lower()
    assert found == set(EmailKind) - TO_THE_VISITOR - TO_A_MEMBER


def test_every_email_names_the_practice_and_links_its_privacy_page(every_mail):
    for message in every_mail:
        for part in (message.text, message.html):
            assert "ACTION Advisory" in part
            assert "http://127.0.0.1:8000/privacy/" in part


def test_the_emails_of_one_call_make_one_thread(every_mail):
    about_calls = [one for one in every_mail if one.kind.startswith(("booking_", "call_"))]
    threads = {one.thread for one in about_calls if one.kind != "booking_withdrawn"}
    assert all(one.startswith("<") and one.endswith("@example.test>") for one in threads)
    others = {one.thread for one in every_mail if one.kind in ("result", "sign_in", "invited")}
    assert others == {""}


def test_an_inbox_previews_the_first_words_of_an_email(every_mail):
    for message in every_mail:
        body = html5lib.parse(message.html, namespaceHTMLElements=False).find("body")
        preview = " ".join(body[0].text.split())
        assert len(preview) > 20 and not preview.startswith("Hello")
        assert preview in " ".join(message.text.split())
