"""Every form found on the product's pages stores or refuses any input."""

from collections.abc import Iterator
from dataclasses import dataclass

import html5lib
import pytest

from tests.faults.naughty import CONTROLS, EMPTY, KEPT, LINES
from tests.support.app.seeded_app import SeededApp
from tests.support.app.stored_data import everything

from .test_every_route import seeded_app, some, sound

HTML = "{http://www.w3.org/1999/xhtml}"
FIELDS = {HTML + name for name in ("input", "textarea", "select", "button")}
__all__ = ["seeded_app", "some"]  # fixtures

DATES = ("0001-01-01", "9999-12-31", "2026-02-30")
TEXTS = (*KEPT[3::17], CONTROLS[0], EMPTY[2], LINES[0], "x" * 4000, *DATES)
HIDDEN = ("-1", "99999999999999999999", "x" * 4000)

# Programs post to the first two; the third is shown during a flood; scripts post to the next two;
# at an IP address, the last two are not shown.
NO_FORMS = {
    *("hooks.csp_report", "hooks.sendgrid", "desk.clear_flood"),
    *("desk.passkey_challenge", "desk.new_passkey_challenge"),
    *("desk.sign_in_by_passkey", "desk.add_passkey"),
}
ASKING = {"desk.held_about"}  # changes nothing: its response is a page with further forms
BODIES = (  # content types, and one that no form of ours has
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\xff\r\n--x--',
    ),
    ("multipart/form-data; boundary=x", b"--x\r\n" * 3000),
    ("multipart/form-data", b"name=Ada"),
    ("application/json", b"[" * 30_000),
    ("application/xml", b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'),
    ("application/x-www-form-urlencoded; charset=utf-16", "name=Ada".encode("utf-16")),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=b" % n for n in range(9000))),
    ("application/x-www-form-urlencoded", b"=&" * 30_000),
    ("application/x-www-form-urlencoded", b"name=" + b"x" * 1_000_000),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=" % n for n in range(90_000))),
    ("", b"name=Ada"),
    ("text/plain", b"name=Ada"),
)


@dataclass(frozen=True)
class Form:
    """A form of a page: the page, the form's address and its fields."""

    page: str
    action: str
    fields: tuple[tuple[str, str], ...]
    typed: tuple[str, ...]  # the names of the visible fields

    @property
    def key(self) -> tuple[str, ...]:
        """The key that identifies the form across pages."""
        return (self.action, *sorted({name for name, _ in self.fields}))


@pytest.fixture
def environment(environment) -> dict[str, str]:
    return environment | {"BOOKINGS_PER_ADDRESS": "50"}


def forms_of(page: str, text: str) -> Iterator[Form]:
    """Parse the forms of a page, each with a value for every field."""
    for form in html5lib.parse(text).iter(f"{HTML}form"):
        if form.get("method") != "post":
            continue
        fields, typed = [], []
        for one in (one for one in form.iter() if one.tag in FIELDS):
            kind, name = one.get("type", "text"), one.get("name", "")
            value = _value(one, kind)
            if not name or value is None:
                continue
            fields.append((name, value))
            if one.tag in (f"{HTML}textarea", f"{HTML}select") or kind not in ("hidden", "submit"):
                typed.append(name)
        yield Form(page, form.get("action") or page, tuple(fields), tuple(dict.fromkeys(typed)))


def _value(one, kind: str) -> str | None:
    """Return a person's value for a field, or None for an unchecked one."""
    if one.tag == f"{HTML}textarea":
        return (one.text or "").strip() or "Some words"
    if one.tag == f"{HTML}select":
        options = list(one.iter(f"{HTML}option"))
        chosen = [option for option in options if option.get("selected") is not None] or options
        return chosen[0].get("value") or ""
    if one.get("name") == "website":
        return None
    if kind in ("radio", "checkbox"):
        return one.get("value", "y")
    filled = {"email": "grace@example.com", "tel": "+1 555 0199", "date": "2026-12-01"}
    return one.get("value") or ("" if kind == "hidden" else filled.get(kind, "Grace"))


def every_form(seeded_app: SeededApp) -> list[Form]:
    """Open every page and return each form once; those without fields last: they delete records."""
    found: dict[tuple[str, ...], Form] = {}
    stranger = seeded_app.app.test_client()
    pages = [*(address for address, _ in seeded_app.routes("GET")), *seeded_app.more]
    for client, page in [
        *((seeded_app.client, page) for page in pages),
        (stranger, "/desk/sign-in/"),
    ]:
        if not page.endswith((".pdf", ".ics")):
            for form in forms_of(page, client.get(page).text):
                found.setdefault(form.key, form)
    for form in [one for one in found.values() if seeded_app.endpoint(one.action) in ASKING]:
        answer = send(seeded_app, form, email="grace.holloway@holloway-retail.example")
        found |= {further.key: further for further in forms_of(form.page, answer.text)}
    return sorted(found.values(), key=lambda form: not form.typed)


def send(seeded_app: SeededApp, form: Form, **changed):
    seeded_app.forget_hits()
    return seeded_app.client.post(form.action, data=dict(form.fields) | changed)


def test_no_text_in_any_field_breaks_a_form(seeded_app, some):
    forms = every_form(seeded_app)
    found = {seeded_app.endpoint(form.action) for form in forms}
    assert {rule.endpoint for _, rule in seeded_app.routes("POST")} - found == NO_FORMS
    for form in forms:
        names = {name for name, _ in form.fields} - {"csrf_token"}
        for name in some(sorted(names), 1):
            for text in some(TEXTS, 1) if name in form.typed else some(HIDDEN, 1):
                answer = send(seeded_app, form, **{name: text})
                sound(answer, f"{form.page} {form.action} {name}={text[:80]!a}")


def test_malformed_bodies_are_refused_by_all_forms(seeded_app, some):
    before = everything(seeded_app.database)
    for address, _ in seeded_app.routes("POST"):
        for kind, body in some(BODIES, 1):
            seeded_app.forget_hits()
            answer = seeded_app.client.post(address, data=body, content_type=kind)
            sound(answer, address)
            is_report = address == "/hooks/csp"  # accepted, but not stored
            assert is_report or 400 <= answer.status_code < 500, (address, kind, body[:30])
    assert everything(seeded_app.database) == before
