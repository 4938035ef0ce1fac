"""Every setting, typed and checked before anything starts.

PUBLIC_URL decides between two modes. While it names this machine (127.0.0.1 or
localhost), the program runs in *local* mode, where each setting has a safe default:
emails go to a folder, and the secret is generated and kept under `var/`. Any other PUBLIC_URL
is *production*: https, and every setting in `NEEDED_IN_PRODUCTION` must be given.

The site's build reads its settings here too (`load_for_site`), so that an empty variable, a port
or a default always means the same to the pages and to the service.
"""

import difflib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from .setting_types import (
    Address,
    Addresses,
    DatabaseUrl,
    HoursAhead,
    Limit,
    LimitsStorage,
    Origin,
    SecretUrl,
    SmtpUrl,
    Url,
    VerificationKey,
    WebhookSecret,
    is_guessable,
)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHORTEST_SECRET = 32
MIGRATE = "`lead-service migrate` makes it"
# Settings whose values appear in the site's pages.
OF_THE_SITE = (
    *("public_url", "bind_address", "port"),
    *("practice_name", "practice_legal_name", "practice_postal_address"),
    *("practice_email", "practice_phone", "practice_country"),
    *("practice_responsible", "practice_register", "practice_vat_id"),
    *("retention_days", "backup_days"),
)
NEEDED_IN_PRODUCTION = {
    "secret_key": "a random text of 32 characters or more",
    "database_url": "sqlite:////absolute/path or postgresql://…",
    "sendgrid_api_key": "the provider's key, unless SMTP_URL names a mail server",
    "mail_from": "the sender that the provider has verified",
    "sales_to": "the team's addresses",
    "practice_legal_name": "shown on the privacy page",
    "practice_postal_address": "shown on the privacy page",
    "practice_email": "shown on the privacy page",
}


IMPRINT_COUNTRIES = {"AT", "CH", "DE"}  # countries whose law requires an imprint


class SettingsError(Exception):
    """The settings are wrong: `.faults` has one line per fault, without secrets."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseModel):
    """All settings, read from the environment; handbook/operations.md lists them.

    A default here is right for production and safe to publish, except where
    `NEEDED_IN_PRODUCTION` requires the setting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: Origin = Field(
        "http://127.0.0.1:8000/",
        description="The one address of the site and the service, without a path. An address of "
        "this machine means local mode; anything else is production and must use https.",
    )
    bind_address: str = Field("127.0.0.1", description="The address `web` listens on.")
    port: int = Field(8000, ge=1, le=65535, description="The port `web` listens on.")
    workers: int = Field(
        1,
        ge=1,
        le=32,
        description="How many processes `web` starts. More than one needs a shared "
        "`LIMITS_STORAGE`.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="At least 32 random characters. Signs sessions and links. Local mode "
        "generates one and keeps it in `VAR_DIR`.",
    )
    database_url: DatabaseUrl = Field(
        "",
        description="`sqlite:////path/to/file.db` or `postgresql://user:password@host/name`. "
        "Local mode uses `lead_service.db` in `VAR_DIR`.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="How many proxies in front add to `X-Forwarded-For`. If this is too low, all "
        "visitors together get the rate limits of one.",
    )
    limits_storage: LimitsStorage = Field(
        "memory://",
        description="Where rate limits are counted. Use `redis://host:6379/0` (Redis or Valkey) "
        "when several web processes run. While it is down, each process counts on its own.",
    )
    limit_posts: Limit = Field(
        "600 per 10 minutes",
        description="Forms that one client may send. Beyond this, the client gets a 429.",
    )
    limit_bookings: Limit = Field(
        "3 per day",
        description="How many calls one client can book with immediate confirmation. We hold the "
        "rest until the visitor confirms by email. Requests from this machine (127.0.0.1), as "
        "all are in local mode, don't count.",
    )
    bookings_per_address: int = Field(
        2,
        ge=1,
        le=50,
        description="How many upcoming calls one mailbox may have once its owner confirmed them by "
        "email. Your team must release the rest.",
    )
    reminders: HoursAhead = Field(
        (24, 1),
        description="Hours before a call at which we remind the visitor, or `none`.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="`DEBUG`, `INFO`, `WARNING` or `ERROR`. Logs are JSON lines on stderr, "
        "without personal data. `DEBUG` works in local mode only.",
    )

    sendgrid_api_key: SecretStr | None = Field(
        None,
        description="The SendGrid API key. Without it and without `SMTP_URL`, local mode writes "
        "emails to `mail` in `VAR_DIR`.",
    )
    sendgrid_host: Url = Field(
        "https://api.sendgrid.com/",
        description="The base address of SendGrid's API. Change it for SendGrid's EU region.",
    )
    sendgrid_sandbox: bool = Field(
        False, description="Let SendGrid check emails without sending them."
    )
    sendgrid_webhook_key: VerificationKey = Field(
        "",
        description="The verification key of SendGrid's signed event webhook. Without it, bounces "
        "go unreported.",
    )
    smtp_url: SmtpUrl | None = Field(
        None,
        description="A mail server, as `smtp://user:password@host:587` (STARTTLS) or "
        "`smtps://user:password@host:465`. It sends all emails if there is no SendGrid key, "
        "and only alarms if there is one.",
    )
    mail_from: Address = Field(
        "calls@example.test",
        description="The sender that SendGrid has verified, or whose mailbox `SMTP_URL` names. "
        "Also the organizer of invitations.",
    )
    sales_to: Addresses = Field(
        ("sales@example.test",),
        description="Who gets an email about each lead, separated by commas. The first address "
        "becomes the first host.",
    )

    alarm_webhook: SecretUrl | None = Field(
        None,
        description="An https address to which `check --tell` posts alarms, such as an incoming "
        "webhook of your chat. Kept secret.",
    )
    alarm_webhook_secret: WebhookSecret | None = Field(
        None,
        description="Signs the alarms posted to `ALARM_WEBHOOK`, as the Standard Webhooks "
        "specification describes: `whsec_` and 24 to 64 bytes in base64. Unsigned without it.",
    )

    practice_name: str = Field("ACTION Advisory", description="Your firm's name, everywhere.")
    practice_legal_name: str = Field(
        "", description="The legal name, shown on the privacy page and in emails."
    )
    practice_postal_address: str = Field(
        "", description="The postal address, shown on the privacy page and in emails."
    )
    practice_email: Address = Field(
        "hello@example.test", description="The contact address on every page."
    )
    practice_phone: str = Field("", description="The phone number on contact pages.")
    practice_country: str = Field(
        "",
        pattern="^([A-Z]{2})?$",
        description="The country of the firm in two letters, such as `US`. With `AT`, `CH` or "
        "`DE`, the site has an imprint, and production needs `PRACTICE_RESPONSIBLE`.",
    )
    practice_responsible: str = Field(
        "", description="The person who represents the firm, for the imprint."
    )
    practice_register: str = Field(
        "", description="The commercial register and your number in it, for the imprint."
    )
    practice_vat_id: str = Field("", description="The VAT number, for the imprint.")

    practice_reply_time: str = Field(
        "",
        description="When you answer a message, such as `within one business day`. Shown on the "
        "contact page and in the email that confirms a message.",
    )

    feeds_allow_loopback: bool = Field(
        False,
        description="Also read hosts' calendars from this machine, to try them out. Local mode "
        "only.",
    )

    var_dir: Path = Field(
        Path("var"), description="The folder for local data. Only its owner can read it."
    )
    site_dir: Path = Field(Path("site"), description="The folder of the built site.")
    backup_dir: Path | None = Field(
        None, description="The folder for backups. `backup` needs it unless you name a file."
    )
    backup_days: int = Field(30, ge=1, description="Days until a backup is deleted.")
    metrics_address: str = Field(
        "127.0.0.1",
        description="The address for Prometheus metrics. Use `0.0.0.0` only on a private network.",
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="The port for Prometheus metrics. Off when unset."
    )
    retention_days: int = Field(
        730, ge=30, description="Days without activity until a lead is erased."
    )
    abandoned_days: int = Field(
        30, ge=1, description="Days until unfinished anonymous answers are erased."
    )
    unclaimed_days: int = Field(
        365, ge=1, description="Days until finished anonymous answers are erased."
    )
    desk_idle_hours: int = Field(
        12, ge=1, description="Hours without use after which a desk session ends."
    )
    desk_session_days: int = Field(
        7, ge=1, description="Days after which a desk session ends in any case."
    )

    @property
    def secret(self) -> str:
        """The key for sessions and links; `load` guarantees that one is set."""
        return self.secret_key.get_secret_value() if self.secret_key else ""

    @property
    def has_imprint(self) -> bool:
        """Say whether the law of the practice's country requires an imprint."""
        return self.practice_country in IMPRINT_COUNTRIES

    @property
    def is_local(self) -> bool:
        """Say whether the program runs in local mode, for this machine only."""
        return urlsplit(self.public_url).hostname in LOOPBACK

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def origin(self) -> str:
        """PUBLIC_URL as browsers send it: the name encoded, without the default port."""
        parts = urlsplit(self.public_url)
        host = (parts.hostname or "").encode("idna").decode()
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = f":{parts.port}" if parts.port not in (None, usual) else ""
        return f"{parts.scheme}://{host}{port}"

    @property
    def passkey_host(self) -> str:
        """The name to which browsers bind passkeys; empty for an IP address, which allows none."""
        host = urlsplit(self.origin).hostname or ""
        with suppress(ValueError):
            return "" if ip_address(host) else host
        return host

    @property
    def writes_mail_to_folder(self) -> bool:
        """Say whether emails are written to files because no setting can send them."""
        return not (self.sendgrid_api_key or self.smtp_url)

    @property
    def mail_folder(self) -> Path:
        """The folder of emails while no setting can send them."""
        return self.var_dir / "mail"

    def link(self, path: str) -> str:
        """Return the absolute address of a root-relative `path`; never built from a request."""
        return self.public_url.rstrip("/") + path


def load(environ: Mapping[str, str] | None = None, *, create: bool = True) -> Settings:
    """Read and check the settings; raise SettingsError with one line for each fault.

    An empty variable counts as unset. In local mode the folder of local data and its secret are
    created when missing; without `create`, a missing folder, secret or SQLite file is a
    fault instead, so that a mistyped path leaves nothing behind.
    """
    environ = os.environ if environ is None else environ
    settings, faults = _read(environ, Settings.model_fields)
    for name, fault in _wrong_together(settings, environ, faults):
        faults.setdefault(name, fault)
    _refuse(faults)
    if settings.is_local:
        settings = _with_local_defaults(settings, create)
    if not create:
        _require_file(settings.database_url)
    return settings


def load_what_is_right() -> Settings:
    """Read the valid settings, with defaults for the others: enough to send an alarm."""
    settings, _faults = _read(os.environ, Settings.model_fields)
    return settings


def load_for_site(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings `OF_THE_SITE`, with defaults for the rest.

    The build needs no secret, so none is required. Raises SettingsError.
    """
    settings, faults = _read(os.environ if environ is None else environ, OF_THE_SITE)
    _refuse(faults)
    return _with_local_address(settings) if settings.is_local else settings


def _read(environ: Mapping[str, str], names: Iterable[str]) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and their faults by name.

    A faulty setting gets its default, so that the others can be checked as well.
    """
    given = {name: text for name in names if (text := environ.get(name.upper()))}
    faults = {
        name: f"no such setting; did you mean {meant}?"
        for name, meant in _misspelled(environ).items()
    }
    try:
        return Settings.model_validate(given), faults
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): _in_words(fault) for fault in error.errors()}
    faults |= {name.upper(): fault for name, fault in wrong.items()}
    right = {name: text for name, text in given.items() if name not in wrong}
    return Settings.model_validate(right), faults


def _refuse(faults: Mapping[str, str]) -> None:
    if faults:
        raise SettingsError([f"{name}: {fault}" for name, fault in faults.items()])


def _misspelled(environ: Mapping[str, str]) -> dict[str, str]:
    """Find names close to a setting's: a typo must not silently leave the default in place."""
    known = {name.upper() for name in Settings.model_fields}
    found = {}
    for name in sorted(set(environ) - known):
        close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.86)
        if close and len(name) > 5:
            found[name] = close[0]
    return found


WORDING = {
    "int_parsing": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must be two capital letters, such as US",
}


def _in_words(fault: Mapping) -> str:
    if fault["type"] in WORDING:
        return WORDING[fault["type"]].format(**fault.get("ctx", {}))
    return fault["msg"].removeprefix("Value error, ")


def _wrong_together(
    settings: Settings, environ: Mapping[str, str], faults: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Check settings against each other; yield each fault with the name of its setting."""
    is_local = settings.is_local
    if "PUBLIC_URL" in faults:  # the mode is unknown, so judge by the text
        is_local = any(host in environ["PUBLIC_URL"] for host in LOOPBACK)
    if settings.secret_key and len(settings.secret) < SHORTEST_SECRET:
        yield "SECRET_KEY", f"is shorter than {SHORTEST_SECRET} characters"
    if settings.workers > 1 and settings.limits_storage.startswith("memory"):
        yield "WORKERS", "more than 1 needs a shared LIMITS_STORAGE: redis://…"
    provider = urlsplit(settings.sendgrid_host)
    if provider.scheme != "https" and provider.hostname not in LOOPBACK:  # plain text
        yield "SENDGRID_HOST", "must start with https:// unless it is this machine"
    hook = urlsplit(settings.alarm_webhook.get_secret_value() if settings.alarm_webhook else "")
    if hook.scheme == "http" and hook.hostname not in LOOPBACK:
        yield "ALARM_WEBHOOK", "must start with https://"
    if not settings.sales_to:
        yield "SALES_TO", "is empty"
    if not is_local:
        yield from _wrong_in_production(settings, environ)


def _wrong_in_production(
    settings: Settings, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if not settings.is_https:
        yield "PUBLIC_URL", "must start with https:// unless it names this machine"
    misspelled = _misspelled(environ).values()
    given = settings.model_fields_set | ({"sendgrid_api_key"} if settings.smtp_url else set())
    for name, why in NEEDED_IN_PRODUCTION.items():
        if name not in given and name.upper() not in misspelled:
            yield name.upper(), f"is missing ({why})"
    if settings.has_imprint and not settings.practice_responsible:
        yield "PRACTICE_RESPONSIBLE", "is missing (the imprint names who represents the practice)"
    if settings.secret_key and is_guessable(settings.secret):
        yield "SECRET_KEY", "is easy to guess; `openssl rand -hex 32` makes a random one"
    if settings.feeds_allow_loopback:
        yield "FEEDS_ALLOW_LOOPBACK", "is for local mode only"
    if settings.log_level == "DEBUG":
        yield "LOG_LEVEL", "DEBUG is for local mode only"
    if environ.get("FLASK_DEBUG", "0") not in {"", "0"}:
        yield "FLASK_DEBUG", "is for local mode only"


def _with_local_defaults(settings: Settings, create: bool) -> Settings:
    given: dict[str, object] = {}
    try:
        _make_private(settings, create)
        if settings.secret_key is None:
            path = settings.var_dir / "secret_key"
            given["secret_key"] = SecretStr(_local_secret(path, create))
    except OSError as error:
        raise SettingsError([f"VAR_DIR: cannot be used: {error}"]) from None
    own_site = Path("var/sites") / str(settings.port)  # see the Makefile
    if "site_dir" not in settings.model_fields_set and own_site.is_dir():
        given["site_dir"] = own_site
    if not settings.database_url:
        given["database_url"] = f"sqlite:///{(settings.var_dir / 'lead_service.db').absolute()}"
    return _with_local_address(settings.model_copy(update=given))


def _with_local_address(settings: Settings) -> Settings:
    """Take PUBLIC_URL from the address that the program listens on, unless it is set."""
    if "public_url" in settings.model_fields_set:
        return settings
    host = "localhost" if settings.bind_address == "::1" else "127.0.0.1"
    return settings.model_copy(update={"public_url": f"http://{host}:{settings.port}/"})


def _make_private(settings: Settings, create: bool) -> None:
    """Make the folder of local data, for its owner alone.

    The default folder is the program's own, so its mode is changed even when it exists; a
    folder chosen by the operator may have other uses and keeps its mode.
    """
    if create:
        settings.var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not settings.var_dir.is_dir():
        raise SettingsError([f"VAR_DIR: there is no folder {settings.var_dir}; {MIGRATE}"])
    if "var_dir" not in settings.model_fields_set:
        with suppress(PermissionError):  # owned by another user
            settings.var_dir.chmod(0o700)


def _local_secret(path: Path, create: bool) -> str:
    """Keep one secret per machine, so that links and sessions outlive a restart."""
    if not path.exists():
        if not create:
            raise SettingsError([f"SECRET_KEY: there is no file {path}; {MIGRATE}"])
        _write_once(path, secrets.token_urlsafe(48))
    secret = path.read_text("utf-8", errors="replace").strip()
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(
            [
                f"{path}: is shorter than {SHORTEST_SECRET} characters; remove it, and the next "
                "start makes another (existing links and sessions end)"
            ]
        )
    return secret


def _write_once(path: Path, text: str) -> None:
    """Write a complete file, unless another process was first: a link never replaces a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".") as file:  # mode 0600
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _require_file(url: str) -> None:
    """Refuse a missing SQLite database: opening it would create an empty one."""
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").exists():
        raise SettingsError([f"DATABASE_URL: there is no file {parts.database}; {MIGRATE}"])
