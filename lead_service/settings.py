"""Every setting, typed and checked before anything starts.

Two modes, and no switch to forget: while PUBLIC_URL names this machine (127.0.0.1 or
localhost) the program runs in *local* mode, where each setting has a default that is safe there:
mails go to a folder, and the secret is generated and kept under `var/`. Any other PUBLIC_URL
is *production*: https, and every setting in `_needed_in_production` must be given.
"""

import difflib
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .setting_types import (
    Address,
    Addresses,
    DatabaseUrl,
    HoursAhead,
    Limit,
    LimitsStorage,
    Origin,
    Url,
    VerificationKey,
)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHORTEST_SECRET = 32


class SettingsError(Exception):
    """What is wrong with the settings: `.faults`, one line for each, no secret in any."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """All settings, read from the environment; handbook/operations.md lists them.

    A default here is right for production too and fit to publish, except where
    `_needed_in_production` asks for the setting there.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="forbid")

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
        "visitors share one client's limits.",
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
        "10 per day",
        description="Calls that one client may book. Beyond this, bookings wait for your team to "
        "release them.",
    )
    bookings_per_address: int = Field(
        2, ge=1, le=50, description="How many upcoming calls one email address may have."
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
        description="The SendGrid API key. Without one, local mode writes emails to `mail` in "
        "`VAR_DIR`.",
    )
    sendgrid_host: Url = Field(
        "https://api.sendgrid.com/",
        description="Another base address of the same API, such as SendGrid's EU region.",
    )
    sendgrid_sandbox: bool = Field(
        False, description="Let SendGrid check emails without sending them."
    )
    sendgrid_webhook_key: VerificationKey = Field(
        "",
        description="The verification key of SendGrid's signed event webhook. Without it, bounces "
        "go unreported.",
    )
    mail_from: Address = Field(
        "calls@example.test",
        description="The sender that SendGrid has verified. Also the organizer of invitations.",
    )
    sales_to: Addresses = Field(
        ("sales@example.test",),
        description="Who gets an email about each lead, separated by commas. The first address "
        "becomes the first host.",
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
    practice_phone: str = Field("", description="The phone number on contact pages, if given.")

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
        """The key from which sessions and links are made; `load` sees to it that there is one."""
        return self.secret_key.get_secret_value() if self.secret_key else ""

    @property
    def is_local(self) -> bool:
        """Say whether the program serves this machine only."""
        return urlsplit(self.public_url).hostname in LOOPBACK

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def mail_folder(self) -> Path:
        """The folder that stands in for the provider while there is no key."""
        return self.var_dir / "mail"

    def link(self, path: str) -> str:
        """Return the absolute address of a root-relative `path`; never built from a request."""
        return self.public_url.rstrip("/") + path

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        faults = [] if self.is_local else _needed_in_production(self)
        if self.secret_key and len(self.secret_key.get_secret_value()) < SHORTEST_SECRET:
            faults.append(f"SECRET_KEY: is shorter than {SHORTEST_SECRET} characters")
        if self.workers > 1 and self.limits_storage.startswith("memory"):
            faults.append("WORKERS: more than 1 needs a LIMITS_STORAGE that they share: redis://…")
        provider = urlsplit(self.sendgrid_host)
        if provider.scheme != "https" and provider.hostname not in LOOPBACK:  # the key in the clear
            faults.append("SENDGRID_HOST: must start with https:// unless it is this machine")
        if not self.sales_to:
            faults.append("SALES_TO: is empty")
        if faults:
            raise SettingsError(faults)
        return self


def _needed_in_production(settings: Settings) -> list[str]:
    needed = {
        "secret_key": "a random text of 32 characters or more",
        "database_url": "sqlite:////absolute/path or postgresql://…",
        "sendgrid_api_key": "the provider's key",
        "mail_from": "the sender that the provider has verified",
        "sales_to": "the team's addresses",
        "practice_legal_name": "shown on the privacy page",
        "practice_postal_address": "shown on the privacy page",
        "practice_email": "shown on the privacy page",
    }
    faults = [
        f"{name.upper()}: is missing ({why})"
        for name, why in needed.items()
        if name not in settings.model_fields_set
    ]
    if not settings.is_https:
        faults.append("PUBLIC_URL: must start with https:// unless it names this machine")
    if settings.secret_key and len(set(settings.secret_key.get_secret_value())) < 8:
        faults.append("SECRET_KEY: is not random")
    if settings.feeds_allow_loopback:
        faults.append("FEEDS_ALLOW_LOOPBACK: is for this machine only")
    if settings.log_level == "DEBUG" or os.environ.get("FLASK_DEBUG", "0") not in {"", "0"}:
        faults.append("DEBUG: is for this machine only (LOG_LEVEL, FLASK_DEBUG)")
    return faults


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings; raise SettingsError with one line for each fault."""
    names = os.environ if environ is None else environ
    if faults := _misspelled(names):
        raise SettingsError(faults)
    try:
        settings = Settings() if environ is None else _from_mapping(environ)
    except ValidationError as error:
        raise SettingsError([_in_words(fault) for fault in error.errors()]) from None
    return _with_local_defaults(settings) if settings.is_local else settings


def _from_mapping(environ: Mapping[str, str]) -> Settings:
    given = {
        name: environ[name.upper()] for name in Settings.model_fields if environ.get(name.upper())
    }
    return Settings.model_validate(given)


def _misspelled(names: Mapping[str, str]) -> list[str]:
    """Find names that are nearly a setting's: a typo must not silently become a default."""
    known = {name.upper() for name in Settings.model_fields}
    faults = []
    for name in sorted(set(names) - known):
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.86)
        if close and len(name) > 5:
            faults.append(f"{name}: no such setting; {close[0]} is meant?")
    return faults


def _in_words(fault: Mapping) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"


def _with_local_defaults(settings: Settings) -> Settings:
    given: dict[str, object] = {}
    try:
        _make_private(settings)
        if settings.secret_key is None:
            given["secret_key"] = SecretStr(_local_secret(settings.var_dir / "secret_key"))
    except OSError as error:
        raise SettingsError([f"VAR_DIR: cannot be used: {error}"]) from None
    if "public_url" not in settings.model_fields_set:
        host = "localhost" if settings.bind_address == "::1" else "127.0.0.1"
        given["public_url"] = f"http://{host}:{settings.port}/"
    if not settings.database_url:
        given["database_url"] = f"sqlite:///{(settings.var_dir / 'lead_service.db').absolute()}"
    return settings.model_copy(update=given)


def _make_private(settings: Settings) -> None:
    """Make the folder of local data, for its owner alone.

    The default one is the program's own, so it is closed even when it is there already; a
    folder that somebody chose may serve other ends, and keeps the mode that it has.
    """
    settings.var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if "var_dir" not in settings.model_fields_set:
        with suppress(PermissionError):  # somebody else's
            settings.var_dir.chmod(0o700)


def _local_secret(path: Path) -> str:
    """Keep one secret per machine, so that links and sessions outlive a restart."""
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(48))
    secret = path.read_text("utf-8", errors="replace").strip()
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(
            [
                f"{path}: is shorter than {SHORTEST_SECRET} characters; remove it, and the next "
                "start makes another (links and sessions of before end)"
            ]
        )
    return secret


def _write_once(path: Path, text: str) -> None:
    """Write a file whole, unless another process was first: a link never replaces a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".") as file:  # mode 0600
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
