"""The local folder of emails: complete files that any email program opens."""

import email
import email.policy
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest

from lead_service.emails.message import Attachment, Message
from lead_service.emails.transports.base import Temporary
from lead_service.emails.transports.folder import Folder
from lead_service.settings import Settings

INVITE = Attachment("invite.ics", "text/calendar;method=REQUEST", b"BEGIN:VCALENDAR\r\n")
MAIL = Message(
    kind="booking_confirmed",
    to="ada@bücher.test",
    to_name="Nguyễn, Ada",
    subject="Dein Gespräch: Montag",
    text="Grüße\n",
    html="<p>Grüße</p>",
    reply_to="host@practice.test",
    reply_to_name="The Host",
    attachments=(INVITE,),
)
lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])).filter(str.strip)


def folder_in(path: Path) -> Folder:
    return Folder(Settings(var_dir=path))


def read(path: Path) -> email.message.EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def written(path: Path) -> list[Path]:
    return sorted((path / "mail").iterdir())


def test_an_email_file_is_written_atomically(tmp_path):
    folder_in(tmp_path).send(MAIL, "0af1")
    (path,) = written(tmp_path)
    assert path.name.endswith("Z-booking_confirmed-0af1.eml")
    mail = read(path)
    assert mail["From"] == "ACTION Advisory <calls@example.test>"
    (person,) = mail["To"].addresses
    assert (person.display_name, person.addr_spec) == ("Nguyễn, Ada", "ada@xn--bcher-kva.test")
    assert mail["Reply-To"] == "The Host <host@practice.test>"
    assert mail["Subject"] == MAIL.subject
    assert mail["Message-ID"] == "<0af1@example.test>"


def test_text_html_and_invite_are_three_forms_of_one_email(tmp_path):
    folder_in(tmp_path).send(MAIL, "0af1")
    mail = read(written(tmp_path)[0])
    assert mail.get_content_type() == "multipart/alternative"
    text, html, invite = mail.iter_parts()
    assert [part.get_content().rstrip() for part in (text, html)] == ["Grüße", MAIL.html]
    assert invite.get_content_type() == "text/calendar"
    assert invite["Content-Type"].params["method"] == "REQUEST"
    assert invite.get_payload(decode=True) == INVITE.content
    assert invite.get_filename() == "invite.ics"


def test_only_its_owner_may_read_an_email(tmp_path):
    folder_in(tmp_path).send(MAIL, "0af1")
    assert written(tmp_path)[0].stat().st_mode & 0o777 == 0o600


def test_sending_the_same_email_again_replaces_its_file(tmp_path):
    folder = folder_in(tmp_path)
    folder.send(MAIL, "0af1")
    (first,) = written(tmp_path)
    early = first.rename(first.with_name("20260101T000000Z-booking_confirmed-0af1.eml"))
    folder.send(Message(**{**vars(MAIL), "subject": "Again"}), "0af1")
    assert written(tmp_path) == [early] and read(early)["Subject"] == "Again"
    folder.send(MAIL, "0af2")
    assert len(written(tmp_path)) == 2


def test_an_email_that_cannot_be_written_is_tried_again_and_leaves_no_half_file(
    tmp_path, monkeypatch
):
    def full(*_paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Temporary):
        folder_in(tmp_path).send(MAIL, "0af1")
    assert written(tmp_path) == []
