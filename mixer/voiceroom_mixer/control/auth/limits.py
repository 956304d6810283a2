"""How many requests a second are let in (contract §4): token buckets, bounded, time an argument."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.service import ApiError, Claims

MAX_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, ``burst`` more in every ``period_s`` seconds."""

    burst: int
    period_s: int = 1

    @property
    def ns_each(self) -> int:
        """Nanoseconds in which one request's worth grows back."""
        return self.period_s * NS_PER_S // self.burst


ANONYMOUS: Final = Rate(20)
"""Requests without a token and requests that failed, per source address."""
TOKEN: Final = Rate(100)
MODERATOR: Final = Rate(1000)
PIN: Final = Rate(5, 60)
"""Tries of a PIN, per source address."""


class Buckets:
    """One bucket for each key, the least recently used forgotten beyond ``capacity``.

    A bucket is the instant at which it will be full again (GCRA): one integer a key.
    """

    def __init__(self, rate: Rate, capacity: int = MAX_BUCKETS) -> None:
        self._rate = rate
        self._capacity = capacity
        self._full_at_ns: OrderedDict[str, int] = OrderedDict()
        self.evictions = 0
        """Buckets forgotten that were not full again: their owners begin anew."""

    def __len__(self) -> int:
        return len(self._full_at_ns)

    def take(self, key: str, now_ns: int) -> int:
        """Take one request's worth: 0 when let in, else how many ns to wait (nothing is taken)."""
        wait = self.wait_ns(key, now_ns)
        if wait == 0:
            full_at = max(self._full_at_ns.get(key, now_ns), now_ns) + self._rate.ns_each
            self._full_at_ns[key] = full_at
        self._full_at_ns.move_to_end(key)  # who is refused must not be forgotten for it
        self._forget(now_ns)
        return wait

    def wait_ns(self, key: str, now_ns: int) -> int:
        """How long until one request is let in; 0 = now. Takes nothing."""
        full_at = self._full_at_ns.get(key, now_ns)
        deepest = self._rate.burst * self._rate.ns_each
        return max(0, full_at + self._rate.ns_each - now_ns - deepest)

    def _forget(self, now_ns: int) -> None:
        while len(self._full_at_ns) > self._capacity:
            _, full_at = self._full_at_ns.popitem(last=False)
            self.evictions += full_at > now_ns


class RequestLimits:
    """The limits of the HTTP door. ``now_ns`` is monotonic."""

    def __init__(self, capacity: int = MAX_BUCKETS) -> None:
        self._anonymous = Buckets(ANONYMOUS, capacity)
        self._token = Buckets(TOKEN, capacity)
        self._moderator = Buckets(MODERATOR, capacity)
        self.limited = {"anonymous": 0, "token": 0, "moderator": 0}
        """Refused requests, by the label ``limit`` of voiceroom_http_limited_total."""

    @property
    def evictions(self) -> int:
        """Buckets forgotten to make room."""
        return self._anonymous.evictions + self._token.evictions + self._moderator.evictions

    def anonymous(self, source: str, now_ns: int) -> None:
        """Count a request without a token. Raises ``ApiError`` 429."""
        self._let_in(self._anonymous, "anonymous", source, now_ns)

    def authenticated(self, claims: Claims, now_ns: int) -> None:
        """Count a request with a good token. Raises ``ApiError`` 429."""
        if claims.role in ("moderator", "admin"):
            self._let_in(self._moderator, "moderator", claims.jti, now_ns)
        else:
            self._let_in(self._token, "token", claims.jti, now_ns)

    def check_failing(self, source: str, now_ns: int) -> None:
        """Before a token is looked at: refuse a source that failed too often. Takes nothing."""
        wait = self._anonymous.wait_ns(source, now_ns)
        if wait:
            self._refuse("anonymous", wait)

    def failed(self, source: str, now_ns: int) -> None:
        """Count a request that failed for its token, on its source; never raises."""
        self._anonymous.take(source, now_ns)

    def _let_in(self, buckets: Buckets, limit: str, key: str, now_ns: int) -> None:
        wait = buckets.take(key, now_ns)
        if wait:
            self._refuse(limit, wait)

    def _refuse(self, limit: str, wait_ns: int) -> None:
        self.limited[limit] += 1
        raise too_many(wait_ns)


def too_many(wait_ns: int) -> ApiError:
    """429 with Retry-After in whole seconds, at least 1."""
    seconds = max(1, math.ceil(wait_ns / NS_PER_S))
    message = f"too many requests: try again in {seconds} s"
    return ApiError(429, "too_many_requests", message, headers={"Retry-After": str(seconds)})
