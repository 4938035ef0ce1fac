"""The types of settings; error messages never repeat the value, which may be secret.

Libraries that only some types need are imported in their functions, because the site's build reads
its settings here too, without those libraries.
"""

import base64
from collections import Counter
from math import log2
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from .hostnames import is_host

DATABASES = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
LONGEST_AHEAD = 14 * 24  # hours
IN_MEMORY = {None, "", ":memory:"}
LEAST_BITS = 80  # the estimate for 32 random hexadecimal digits is at least 87
REPEAT = 8  # characters; `openssl rand` repeats that many by chance once in 10 billion
PLACEHOLDERS = ("changeme", "change-me", "change_me", "password", "secret", "example")


def is_guessable(secret: str) -> bool:
    """Say whether a secret looks typed by a person or repeats itself, ignoring case.

    The estimate in bits is the Shannon entropy of its characters times the number of new
    ones. A character isn't new when it completes three that came before (changeme, changeme) or
    continues a sequence (aaa, abc, 321).
    """
    text = secret.casefold()
    parts = [text[at : at + REPEAT] for at in range(len(text) - REPEAT + 1)]
    if len(set(parts)) < len(parts) or any(word in text for word in PLACEHOLDERS):
        return True
    counts = Counter(secret).values()
    entropy = sum(-count / len(secret) * log2(count / len(secret)) for count in counts)
    return entropy * sum(_is_new(text, at) for at in range(len(text))) < LEAST_BITS


def _is_new(text: str, at: int) -> bool:
    if at < 2:
        return True
    steps = {ord(text[at]) - ord(text[at - 1]), ord(text[at - 1]) - ord(text[at - 2])}
    is_in_a_row = len(steps) == 1 and steps <= {-1, 0, 1}
    return not is_in_a_row and text[at - 2 : at + 1] not in text[:at]


def _address(text: str) -> str:
    """Check one of the practice's email addresses; `.test` is allowed for local mode."""
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as fault:
        raise ValueError(f"is not an email address: {fault}") from None
    return checked.normalized


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # unbalanced brackets or an invalid port
        is_complete = False
    if not is_complete or not text.isprintable() or " " in text:
        raise ValueError("must be an address that starts with http:// or https://")
    if not is_host(parts.hostname or ""):
        raise ValueError("must name a host, such as advisory.example.com")
    if parts.query or parts.fragment:
        raise ValueError("must not have a ? or # part")
    return text.rstrip("/") + "/"


def _origin(text: str) -> str:
    """Check the address of site and service, which must have no path."""
    url = _url(text)
    parts = urlsplit(url)
    if parts.path != "/":
        raise ValueError("must not have a path: site and service need the whole address")
    if "[" in parts.netloc:  # Werkzeug would refuse every page: it trusts no host in brackets
        raise ValueError("must name the host, not its IPv6 address; localhost instead of [::1]")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or a password")
    return url


def _smtp(secret: SecretStr) -> SecretStr:
    """Check the address of a mail server, which may hold a password."""
    text = secret.get_secret_value().strip()
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in {"smtp", "smtps"} and parts.port != 0
        is_valid = is_valid and is_host(parts.hostname or "") and parts.path in {"", "/"}
    except ValueError:
        is_valid = False
    if not is_valid or not text.isascii() or not text.isprintable() or "?" in text or "#" in text:
        raise ValueError(
            "must be like smtp://user:password@mail.example.com:587 or smtps://…:465; "
            "encode special characters in the user and password, such as %40 for @"
        )
    return SecretStr(text)


def _secret_url(secret: SecretStr) -> SecretStr:
    """Check an address that contains a secret, possibly in its query."""
    text = secret.get_secret_value().strip()
    _url(text.partition("?")[0])
    return SecretStr(text)


def _webhook_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError('must be made by: echo "whsec_$(openssl rand -base64 32)"')
    return SecretStr(text)


def _database(text: str) -> str:
    """Check the address of a database; the driver's own message could hold the password."""
    if not text:
        return text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "cannot be read; write it like sqlite:////absolute/path or "
            "postgresql://user:password@host:5432/name"
        ) from None
    if url.drivername not in DATABASES:
        raise ValueError("must start with sqlite:// or postgresql://")
    if url.get_backend_name() == "sqlite" and url.database in IN_MEMORY:
        raise ValueError("must name a file: other processes can't see a database in memory")
    return text


def _limits_storage(text: str) -> str:
    """Check the store of rate limits; Valkey works with the client of Redis."""
    try:
        parts = urlsplit(text)
        is_valid = {
            "memory": text == "memory://",
            "redis": bool(parts.hostname and parts.port != 0),
            "rediss": bool(parts.hostname and parts.port != 0),
            "redis+unix": bool(parts.path),
        }.get(parts.scheme, False)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError("must be memory://, redis://host:6379/0 (for Valkey too) or rediss://…")
    return text


def _split(text: object) -> object:
    return (
        [part.strip() for part in text.split(",") if part.strip()]
        if isinstance(text, str)
        else text
    )


def _hours_ahead(text: object) -> object:
    """Read `24,1`; `none` means no hours, because an empty setting means the default."""
    return [] if isinstance(text, str) and text.strip().lower() == "none" else _split(text)


def _longest_first(hours: tuple[int, ...]) -> tuple[int, ...]:
    if any(not 1 <= one <= LONGEST_AHEAD for one in hours):
        raise ValueError(f"must be whole hours from 1 to {LONGEST_AHEAD}, such as 24,1, or none")
    return tuple(sorted(set(hours), reverse=True))


def _limit(text: str) -> str:
    from limits import parse

    try:
        parse(text)
    except ValueError:
        raise ValueError("must be like: 600 per 10 minutes") from None
    return text


def _verification_key(text: str) -> str:
    """Check the public key for the provider's events, with or without the lines of PEM."""
    key = "".join(line.strip() for line in text.splitlines() if not line.startswith("-----"))
    if not key:
        return key
    from sendgrid.helpers.eventwebhook import EventWebhook

    try:
        is_valid = hasattr(EventWebhook(key).public_key, "curve")
    except Exception:  # any parser error means an invalid key
        is_valid = False
    if not is_valid:
        raise ValueError("is not the verification key of the provider's signed event webhook")
    return key


def _each_once(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Drop addresses that repeat an earlier one, ignoring case."""
    by_mailbox: dict[str, str] = {}
    for address in addresses:
        by_mailbox.setdefault(address.casefold(), address)
    return tuple(by_mailbox.values())


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_split), AfterValidator(_each_once)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
HoursAhead = Annotated[
    tuple[int, ...], BeforeValidator(_hours_ahead), AfterValidator(_longest_first)
]
Limit = Annotated[str, AfterValidator(_limit)]
LimitsStorage = Annotated[str, AfterValidator(_limits_storage)]
Origin = Annotated[str, AfterValidator(_origin)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp)]
Url = Annotated[str, AfterValidator(_url)]
VerificationKey = Annotated[str, AfterValidator(_verification_key)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
