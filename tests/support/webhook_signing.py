"""Sign delivery events like the provider, with a key pair for tests."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lead_service.web.webhooks import SIGNATURE, TIMESTAMP

SENT_AT = "1790000000"


def as_text(private: Any) -> str:
    """Return a public key in the provider's format."""
    public = private.public_key()
    return base64.b64encode(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


_private = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = as_text(_private)


def sign(body: bytes, timestamp: str = SENT_AT) -> dict[str, str]:
    """Return the headers that sign `body` like the provider."""
    signature = _private.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}


def post(client, told: Any, **changed: Any):
    """Post signed events like the provider, without headers of a browser."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = sign(body) | {"Sec-Fetch-Site": None} | changed.pop("headers", {})
    return client.post("/hooks/sendgrid", data=body, headers=headers, **changed)
