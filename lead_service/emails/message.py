"""Compose a finished email from templates, as a value that the worker sends.

A kind has a template, `templates/email/<kind>.html`, with the blocks `subject`, `text` and `html`.
The last two are rendered inside `email/_layout.txt` and `email/_layout.html`. Pure: no database, no
network, no clock and no settings.
"""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from ..formats import breakable, in_sentence, tel_number
from .styles import NAMES, InlineStyles

VISITOR, HOST = "visitor", "host"
LONGEST_GREETED_NAME = 40
LONGEST_SUBJECT = 59  # characters; an inbox shows fewer than sixty
LONGEST_PREVIEW = 150
# Control characters, surrogates and line separators: the categories Cc, Cs, Zl and Zp.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Templates leave several blank lines around an omitted part.
BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
# Text that an email program may turn into a link: an address, a scheme, www., or words or numbers
# joined by a dot (the second of two letters or more, so that "J.R. Smith" keeps his name).
LINKABLE = re.compile(r"@|://|\bwww\.|\w\.[^\W\d_]{2,}|\d\.\d", re.IGNORECASE)


class EmailKind(StrEnum):
    """The kinds of email: name, label on the desk, and the reader's role.

    Its template is `templates/email/<name>.html`. Emails about a call to one `role`, `VISITOR` or
    `HOST`, leave in order, and are composed alike.
    """

    label: str
    role: str

    def __new__(cls, name: str, label: str = "", role: str = "") -> "EmailKind":
        kind = str.__new__(cls, name)
        kind._value_, kind.label, kind.role = name, label, role
        return kind

    BOOKING_REQUESTED = "booking_requested", "Confirmation of a request, to the visitor", VISITOR
    BOOKING_CONFIRMED = "booking_confirmed", "Invitation to the visitor", VISITOR
    BOOKING_FOR_HOST = "booking_for_host", "Brief to the host", HOST
    BOOKING_CHANGED = "booking_changed", "Change of time or host, to the visitor", VISITOR
    BOOKING_REMINDER = "booking_reminder", "Reminder to the visitor", VISITOR
    BOOKING_CANCELLED = "booking_cancelled", "Cancellation to the visitor", VISITOR
    BOOKING_CANCELLED_FOR_HOST = "booking_cancelled_for_host", "Cancellation to the host", HOST
    BOOKING_WITHDRAWN = (
        "booking_withdrawn",
        "Withdrawn invitation, to a mistyped address",
        VISITOR,
    )
    BOOKING_AGAIN = "booking_again", "Invitation to book again, to the visitor", VISITOR
    CALENDAR_PROBLEM = "calendar_problem", "Problem with a host\u2019s calendar"
    CALL_COLLIDES = "call_collides", "Calendar conflict, to the host"
    ALARM = "alarm", "Alarm about the service"  # never in the outbox
    NEW_LEAD = "new_lead", "Notification to the team"
    FLOOD = "flood", "Burst of possible spam, to the team"
    MESSAGE_RECEIVED = "message_received", "Confirmation of a message, to the visitor"
    RESULT = "result", "Result to the visitor"
    SIGN_IN = "sign_in", "Sign-in link"
    INVITED = "invited", "Invitation to the desk"

    @classmethod
    def of_role(cls, role: str) -> "frozenset[EmailKind]":
        """Return the kinds of email about a call to readers in a role."""
        return frozenset(kind for kind in cls if kind.role == role)


@dataclass(frozen=True)
class Practice:
    """The sender, as the layout of every email shows it."""

    name: str
    legal_name: str
    postal_address: str
    email: str
    phone: str


@dataclass(frozen=True)
class Attachment:
    """An attached file; `content_type` may have parameters."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """A finished email to one person, as text and as HTML.

    Raises ValueError for an unknown `kind`, an empty part, or a control character in
    any header field: a line break there could inject headers.
    """

    kind: EmailKind
    to: str
    to_name: str
    subject: str
    text: str
    html: str
    reply_to: str | None = None
    reply_to_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    desk_link: str = ""  # where the team can read it on the desk
    thread: str = ""  # emails of a thread refer to the same message id (RFC 5322, 3.6.4)

    def __post_init__(self) -> None:
        EmailKind(self.kind)  # raises
        for name in ("to", "subject", "text", "html"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")
        headers = {name: getattr(self, name) for name in ("to", "to_name", "subject")}
        headers |= {"reply_to": self.reply_to or "", "reply_to_name": self.reply_to_name}
        headers["thread"] = self.thread
        for number, attachment in enumerate(self.attachments):
            headers[f"attachment {number} filename"] = attachment.filename
            headers[f"attachment {number} content_type"] = attachment.content_type
        for name, value in headers.items():
            _refuse_controls(name, value)


def _refuse_controls(name: str, value: str) -> None:
    """Refuse control characters and line breaks in a header, without repeating the value."""
    if found := CONTROL.search(value):
        raise ValueError(f"{name} contains the control character U+{ord(found[0]):04X}")


def greeting_name(name: str) -> str:
    """Return the name for the greeting, or "" when it could be an advertisement.

    Anyone can type another person's address with an advertisement as the name, and the email
    would deliver it in our name. So a name with an address, a digit, or text that an
    email program may turn into a link is left out, and so is one too long to be a name.
    """
    shown = " ".join(name.split())
    seen = unicodedata.normalize("NFKC", shown).replace("\u3002", ".")  # also a dot
    seen = "".join(c for c in seen if not unicodedata.category(c).startswith("C"))
    is_lure = LINKABLE.search(seen) or any(c.isdigit() for c in seen)
    return "" if is_lure or len(shown) > LONGEST_GREETED_NAME else shown


_bodies = Environment(
    loader=PackageLoader("lead_service", "templates"),
    autoescape=select_autoescape(enabled_extensions=("html",), default=False),
    undefined=StrictUndefined,
    extensions=[InlineStyles],
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # otherwise it checks every file for each email
)
_bodies.filters |= {"greeting_name": greeting_name, "in_sentence": in_sentence}
_bodies.filters |= {"breakable": breakable, "dialled": tel_number}
_bodies.globals |= NAMES | {"longest_subject": LONGEST_SUBJECT}
_texts = _bodies.overlay(autoescape=False)


def compose(
    kind: EmailKind,
    *,
    to: str,
    practice: Practice,
    site: str,
    to_name: str = "",
    reply_to: str | None = None,
    reply_to_name: str = "",
    attachments: tuple[Attachment, ...] = (),
    desk_link: str = "",
    thread: str = "",
    **context: Any,
) -> Message:
    """Render an email of `kind` with `context`; sends nothing.

    `practice` and `site` come from `emails.practice_context`. The recipient's name goes
    through `greeting_name`. Raises ValueError as Message does, and jinja2.UndefinedError for a
    name that a template uses and `context` lacks.
    """
    context |= {"practice": practice, "site": site, "desk_link": desk_link}
    subject = _block(_texts, kind, "subject", context)
    text, html = _parts(kind, practice, site, context)
    return Message(
        kind=kind,
        to=to,
        to_name=greeting_name(to_name),
        subject=_shortened(" ".join(subject.split())),
        text=BLANK_LINES.sub("\n\n", text.strip()) + "\n",
        html=html,
        reply_to=reply_to,
        reply_to_name=reply_to_name,
        attachments=tuple(attachments),
        desk_link=desk_link,
        thread=thread,
    )


def simpler_forms(message: Message) -> Iterator[Message]:
    """Yield simpler forms of an email to the team whose content the provider refused.

    The first has no reply-to, the second contains only a link to the desk.
    """
    if message.reply_to:
        yield replace(message, reply_to=None, reply_to_name="")
    if link := message.desk_link:
        words = "The email service refused the full text of this email. Read it on the desk:"
        yield Message(
            kind=message.kind,
            to=message.to,
            to_name=message.to_name,
            subject="News about a lead: read it on the desk",
            text=f"{words}\n{link}\n",
            html=f'<p>{words}<br><a href="{escape(link)}">{escape(link)}</a></p>',
        )


def _parts(
    kind: EmailKind, practice: Practice, site: str, context: dict[str, Any]
) -> tuple[str, str]:
    """Render text and HTML, each in its layout."""
    text = _block(_texts, kind, "text", context)
    html = _block(_bodies, kind, "html", context)
    # The link to the reader's choices, in emails to visitors.
    frame = {"choices": "", "to_confirm": False, "not_me": ""} | context
    frame |= {"practice": practice, "site": site, "preview": _preview(text)}
    return (
        _bodies.get_template("email/_layout.txt").render(frame, content=text),
        _bodies.get_template("email/_layout.html").render(frame, content=Markup(html)),
    )


def _block(environment: Environment, kind: EmailKind, name: str, context: dict[str, Any]) -> str:
    template = environment.get_template(f"email/{kind}.html")
    return "".join(template.blocks[name](template.new_context(context)))


def _shortened(subject: str) -> str:
    """Shorten a subject to the length that inboxes show."""
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"


def _preview(text: str) -> str:
    """Return the preview text of an inbox: the first words after the greeting."""
    paragraphs = (" ".join(one.split()) for one in re.split(r"\n\s*\n", text.strip()))
    said = (one for one in paragraphs if not one.startswith("Hello"))
    return next(said, "")[:LONGEST_PREVIEW]


def to_json(message: Message) -> str:
    """Serialize a message to JSON for the outbox, with attachments in base64."""
    attachments = [
        vars(one) | {"content": base64.b64encode(one.content).decode("ascii")}
        for one in message.attachments
    ]
    return json.dumps(vars(message) | {"attachments": attachments})


def from_json(text: str) -> Message:
    """Read the JSON of `to_json`; raise ValueError for anything else."""
    try:
        fields = json.loads(text)
        fields["kind"] = EmailKind(fields["kind"])
        stored = fields.pop("attachments")
        return Message(**fields, attachments=tuple(_attachment(**one) for one in stored))
    except (AttributeError, KeyError, TypeError, binascii.Error) as error:
        raise ValueError(f"not a stored message: {type(error).__name__}") from None


def _attachment(filename: str, content_type: str, content: str) -> Attachment:
    return Attachment(filename, content_type, base64.b64decode(content, validate=True))
