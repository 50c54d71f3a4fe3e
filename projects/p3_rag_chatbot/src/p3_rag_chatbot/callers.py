"""Who asks, as far as collections are limited to keys: the digest of the key that came."""

import hashlib

from fastapi import Request

from p3_rag_chatbot.settings import Settings


def key_digest(request: Request, settings: Settings) -> str | None:
    """Return the SHA-256 hex digest of the caller's API key; None where the service is open.

    The kit has checked that it is an accepted one before a route is reached.
    """
    if not settings.api_keys:
        return None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    return hashlib.sha256(key.encode("latin-1")).hexdigest() if key else None
