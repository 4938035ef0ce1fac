"""Create unguessable tokens and their hashes; the database stores only hashes."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """Create a random URL-safe token of 256 bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the stored hash of a token, so that a stolen database opens nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def derived_token(secret: str, purpose: str, text: str) -> str:
    """Return the token of `purpose` for `text`, the same one each time."""
    return hmac.new(secret.encode(), f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
