"""What may be ordered: everything else is refused with its field and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from voiceroom_chaosdoor import order
from voiceroom_chaosdoor.order import Order
from voiceroom_chaosdoor.refusal import Refused

THROTTLE = {"kind": "throttle", "for": "60s", "percent": 50}
NETEM = {"kind": "netem", "for": "60s", "delayMs": 50, "jitterMs": 10, "lossPercent": 2}


def test_orders_are_read() -> None:
    assert order.read(THROTTLE) == Order("throttle", 60, percent=50)
    assert order.read(NETEM) == Order("netem", 60, delay_ms=50, jitter_ms=10, loss_percent=2)
    lossy = {"kind": "netem", "for": "1s", "lossPercent": 0.5}
    assert order.read(lossy) == Order("netem", 1, loss_percent=0.5)


@pytest.mark.parametrize("body", [THROTTLE, NETEM])
def test_the_strength_has_the_names_of_the_order(body: dict[str, Any]) -> None:
    given = {name: value for name, value in body.items() if name not in ("kind", "for")}
    assert order.read(body).strength() == given


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "step"}, "kind: must be one of throttle, netem (got 'step')"),
        ({}, "kind: must be one of throttle, netem (got null)"),
        (THROTTLE | {"for": "11m"}, "for: must be a duration from 1s to 10m (got '11m')"),
        (THROTTLE | {"for": 60}, "for: must be a duration"),
        (THROTTLE | {"percent": 100}, "percent: must be a whole number from 1 to 99 (got 100)"),
        (THROTTLE | {"percent": 0}, "percent: must be"),
        (THROTTLE | {"percent": 2.5}, "percent: must be a whole number"),
        (THROTTLE | {"percent": True}, "percent: must be a whole number from 1 to 99 (got true)"),
        (THROTTLE | {"delayMs": 1}, "delayMs: is not known: throttle takes kind, for, percent"),
        (NETEM | {"delayMs": 1001}, "delayMs: must be a whole number from 0 to 1000 (got 1001)"),
        (NETEM | {"jitterMs": 51}, "jitterMs: must be at most delayMs, 50 (got 51)"),
        (NETEM | {"lossPercent": 51}, "lossPercent: must be a number from 0 to 50 (got 51)"),
        (NETEM | {"lossPercent": float("nan")}, "lossPercent: must be a number"),
        ({"kind": "netem", "for": "1s"}, "delayMs: must not be 0 where lossPercent is 0 as well"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as caught:
        order.read(body)
    assert caught.value.status == 422
    assert caught.value.message.startswith(words)
