"""The rules that SendGrid publishes for the requests that we make.

`POST /v3/mail/send` sends an email, `POST /v3/recipients/erasejob` erases addresses.
"""

import base64
import binascii
import json
from email.message import Message as Headers
from typing import Any

TOP = {
    *("personalizations", "from", "reply_to", "reply_to_list", "subject", "content"),
    *("attachments", "template_id", "headers", "categories", "custom_args", "send_at"),
    *("batch_id", "asm", "ip_pool_name", "mail_settings", "tracking_settings"),
}
PERSONALIZATION = {
    *("from", "to", "cc", "bcc", "subject", "headers", "substitutions"),
    *("dynamic_template_data", "custom_args", "send_at"),
}
ATTACHMENT = {"content", "type", "filename", "disposition", "content_id"}
TRACKING = {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
MOST_ERASED = 5000  # addresses in one request
SWITCHES = {
    *("bypass_list_management", "bypass_spam_management", "bypass_bounce_management"),
    *("bypass_unsubscribe_management", "footer", "sandbox_mode"),
}


def faults_of_request(path: str, headers: Headers, raw_body: bytes, key: str) -> list[str]:
    """List what the provider would not take about a request; empty when it is right."""
    faults = []
    if path not in DESCRIBED:
        faults.append(f"the path is {path}")
    if headers["Authorization"] != f"Bearer {key}":
        faults.append("the key is not the one given")
    if headers["Content-Type"] != "application/json":
        faults.append("the content is not JSON")
    try:
        return faults + DESCRIBED.get(path, faults_of)(json.loads(raw_body))
    except ValueError:
        return [*faults, "the body is not JSON"]


def faults_of(body: Any) -> list[str]:
    """List where the body of `/v3/mail/send` departs from its published description."""
    faults: list[str] = []
    _check_keys(faults, "the body", body, TOP, {"personalizations", "from", "subject", "content"})
    if not isinstance(body, dict) or faults:
        return faults
    _check_text(faults, "subject", body["subject"])
    _check_person(faults, "from", body["from"])
    if "reply_to" in body:
        _check_person(faults, "reply_to", body["reply_to"])
    for one in _listed(faults, "personalizations", body["personalizations"]):
        _check_personalization(faults, one)
    _check_content(faults, _listed(faults, "content", body["content"]))
    if "attachments" in body:
        for one in _listed(faults, "attachments", body["attachments"]):
            _check_attachment(faults, one)
    _check_settings(faults, "tracking_settings", body.get("tracking_settings", {}), TRACKING)
    _check_settings(faults, "mail_settings", body.get("mail_settings", {}), SWITCHES)
    return faults


def faults_of_erasure(body: Any) -> list[str]:
    """List where the body of `/v3/recipients/erasejob` departs from its published description."""
    faults: list[str] = []
    _check_keys(faults, "the body", body, {"email_addresses"}, {"email_addresses"})
    if faults:
        return faults
    addresses = _listed(faults, "email_addresses", body["email_addresses"])
    for address in addresses:
        _check_person(faults, "email_addresses", {"email": address})
    if len(addresses) > MOST_ERASED:
        faults.append("email_addresses holds too many")
    return faults


DESCRIBED = {"/v3/mail/send": faults_of, "/v3/recipients/erasejob": faults_of_erasure}


def _check_keys(faults: list[str], name: str, value: Any, known: set, needed: set) -> None:
    if not isinstance(value, dict):
        faults.append(f"{name} is not an object")
        return
    faults += [f"{name} has the unknown key {key}" for key in sorted(set(value) - known)]
    faults += [f"{name} lacks {key}" for key in sorted(needed - set(value))]


def _listed(faults: list[str], name: str, value: Any) -> list:
    if isinstance(value, list) and value:
        return value
    faults.append(f"{name} is not a list of at least one")
    return []


def _check_text(faults: list[str], name: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        faults.append(f"{name} is not a text of at least one character")


def _check_person(faults: list[str], name: str, value: Any) -> None:
    _check_keys(faults, name, value, {"email", "name"}, {"email"})
    if isinstance(value, dict):
        address = value.get("email")
        if not isinstance(address, str) or not address.isascii() or address.count("@") != 1:
            faults.append(f"{name} has no mail address")
        if not isinstance(value.get("name", ""), str):
            faults.append(f"{name}'s name is not a text")


def _check_personalization(faults: list[str], value: Any) -> None:
    _check_keys(faults, "a personalization", value, PERSONALIZATION, {"to"})
    if not isinstance(value, dict):
        return
    for person in _listed(faults, "to", value.get("to")):
        _check_person(faults, "to", person)
    marks = value.get("custom_args", {})
    if not isinstance(marks, dict) or not all(isinstance(mark, str) for mark in marks.values()):
        faults.append("custom_args is not an object of texts")


def _check_content(faults: list[str], parts: list) -> None:
    for part in parts:
        _check_keys(faults, "a content", part, {"type", "value"}, {"type", "value"})
        if isinstance(part, dict):
            _check_text(faults, "a content's value", part.get("value"))
    types = [part.get("type") for part in parts if isinstance(part, dict)]
    if types not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
        faults.append(f"the contents are {types}, and text/plain has to be the first")


def _check_attachment(faults: list[str], value: Any) -> None:
    _check_keys(faults, "an attachment", value, ATTACHMENT, {"content", "filename"})
    if not isinstance(value, dict):
        return
    try:
        if not base64.b64decode(value.get("content", ""), validate=True):
            faults.append("an attachment is empty")
    except (binascii.Error, TypeError, ValueError):
        faults.append("an attachment is not base64")
    _check_text(faults, "an attachment's filename", value.get("filename"))
    if value.get("disposition", "attachment") not in {"attachment", "inline"}:
        faults.append("an attachment's disposition is unknown")
    kind = value.get("type", "text/plain")
    if not isinstance(kind, str) or any(mark in kind for mark in " \r\n,") or "charset" in kind:
        faults.append("an attachment's type is not one that is accepted")


def _check_settings(faults: list[str], name: str, value: Any, known: set) -> None:
    _check_keys(faults, name, value, known, set())
    for key, setting in value.items() if isinstance(value, dict) else ():
        if not isinstance(setting, dict) or not isinstance(setting.get("enable"), bool):
            faults.append(f"{name}.{key} has no switch")
