"""PINs of rooms: kept as salted hashes, compared in constant time, few tries a minute."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from voiceroom_mixer.control.auth.limits import MAX_BUCKETS, PIN, Buckets, too_many
from voiceroom_mixer.control.service import ApiError

MIN_PIN_CHARS: Final = 4
MAX_PIN_CHARS: Final = 64


def hash_pin(pin: str, salt: str = "") -> str:
    """``SALT:HEX`` of a PIN; a fresh salt without one.

    The hash keeps a PIN out of dumps and assignments. It cannot make a short one hard to guess:
    the limit of tries does.
    """
    salt = salt or secrets.token_hex(16)
    return f"{salt}:{_digest(pin, salt)}"


def _digest(pin: str, salt: str) -> str:
    return hmac.new(salt.encode(), pin.encode(errors="replace"), hashlib.sha256).hexdigest()


class PinDoor:
    """Checks PINs; 5 tries a minute per source, right or wrong. ``now_ns`` is monotonic."""

    def __init__(self, capacity: int = MAX_BUCKETS) -> None:
        self._tries = Buckets(PIN, capacity)
        self.limited = 0
        self.wrong = 0

    def check(self, pin: str, pin_hash: str, source: str, now_ns: int) -> None:
        """Raises ``ApiError``: 429 after too many tries, 404 ``no_pin``, 403 ``wrong_pin``."""
        wait = self._tries.take(source, now_ns)
        if wait:
            self.limited += 1
            raise too_many(wait)
        if not pin_hash:
            raise ApiError(404, "no_pin", "this room has no PIN: ask for a link to it")
        salt, _, digest = pin_hash.partition(":")
        if not hmac.compare_digest(_digest(pin[:MAX_PIN_CHARS], salt), digest):
            self.wrong += 1
            raise ApiError(403, "wrong_pin", "the PIN is wrong", field="pin")
