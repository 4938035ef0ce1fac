"""Members of the desk, their sign-in links, passkeys and sessions."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import NUMBERS_FOR_LIFE, Base, LabeledEnum, StoredEnum, values


class Role(LabeledEnum):
    """What a member may do; an admin also invites people and erases leads."""

    MEMBER = "member", "Member"
    ADMIN = "admin", "Admin"


class Member(Base):
    """A person who may use the desk, until they are removed."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint(f"role IN {values(Role)}", name="role"),
        NUMBERS_FOR_LIFE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))  # see leads.capture.normalize_email
    name: Mapped[str] = mapped_column(String(120), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")  # IANA name; empty: not chosen
    role: Mapped[Role] = mapped_column(StoredEnum(Role, 20), default=Role.MEMBER)
    # Saved filters of the inbox: a name, and the query of its address.
    views: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def shown_name(self) -> str:
        return self.name or self.email


class SignInLink(Base):
    """A link that signs one member in, once; only its hash is kept.

    One without a member opens nothing: it is inserted for an address that isn't a member's,
    so that a request takes the same time for every address.
    """

    __tablename__ = "sign_in_link"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    is_mailed: Mapped[bool] = mapped_column(default=False)
    browser_hash: Mapped[str | None] = mapped_column(String(64))  # None works in any browser
    code: Mapped[str | None] = mapped_column(String(6))  # to enter in another browser
    tries: Mapped[int] = mapped_column(default=0)  # wrong codes entered


class Passkey(Base):
    """A key pair on a member's device that signs them in; the private half never leaves it."""

    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("credential_id"), NUMBERS_FOR_LIFE)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    credential_id: Mapped[str] = mapped_column(String(1400))  # base64url of up to 1023 bytes
    public_key: Mapped[str] = mapped_column(String(2000))  # COSE, base64url
    sign_count: Mapped[int] = mapped_column(BigInteger)  # 32 bits without a sign
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship()


class DeskSession(Base):
    """One signed-in browser; deleting or ending the row ends the session despite its cookie."""

    __tablename__ = "desk_session"
    __table_args__ = (UniqueConstraint("id_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    id_hash: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(String(40), default="")  # for its member to recognize it

    member: Mapped[Member] = relationship()
