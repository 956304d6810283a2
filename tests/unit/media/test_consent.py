"""How long a STUN check takes there and back: measured, authenticated, and lost ones counted."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

import pytest
from aioice import stun as aioice_stun

from fakes.mansion import Mansion, path, web_leg
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.state.legstate import IceCredentials
from voiceroom_mixer.core.timing.histogram import Histogram, histograms
from voiceroom_mixer.media.consent import INTERVAL_NS, Consent
from voiceroom_mixer.media.legs import Leg

THEIRS = IceCredentials("theirs", "t" * 24)
SENT_NS = 77 * NS_PER_S


class Round:
    """A client's leg whose checks go over real loopback; its answers arrive when a test says."""

    def __init__(self, mansion: Mansion, peer: socket.socket) -> None:
        self.mansion, self.peer = mansion, peer
        self.rtt: Histogram = histograms(mansion.segment.counters)["stun_rtt"]
        self.consent = Consent(
            mansion.legs, mansion.egress, mansion.board, self.rtt, raw_ns=lambda: SENT_NS
        )
        self.path = path(peer.getsockname()[1])
        self.leg = mansion.put(web_leg(remote_ice=THEIRS))
        mansion.house.select(self.leg, self.path)

    def asked(self) -> aioice_stun.Message | None:
        """The check that comes now, read by another implementation; None where there is none."""
        self.consent.look(self.leg, self.mansion.now_ns)
        if not select.select([self.peer], [], [], 0)[0]:
            return None
        return aioice_stun.parse_message(self.peer.recv(2_000))

    def answer(self, to: aioice_stun.Message, password: str = THEIRS.pwd) -> bytes:
        answer = aioice_stun.Message(
            aioice_stun.Method.BINDING, aioice_stun.Class.RESPONSE, to.transaction_id
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = ("127.0.0.1", 7_882)
        answer.add_message_integrity(password.encode())
        return bytes(answer)

    def takes(self, answer: bytes, after_ns: int = NS_PER_MS) -> bool:
        return self.consent.answered(self.path, answer, SENT_NS + after_ns)


@pytest.fixture
def there(mansion: Mansion, peer: socket.socket) -> Round:
    return Round(mansion, peer)


def test_the_time_from_a_check_to_its_answer_is_counted_once(there: Round) -> None:
    check = there.asked()
    assert check is not None
    assert check.attributes["USERNAME"] == "theirs:user0"
    assert check.check_message_integrity(THEIRS.pwd.encode())
    assert "USE-CANDIDATE" not in check.attributes
    answer = there.answer(check)
    assert there.takes(answer, 23 * NS_PER_MS)
    assert not there.takes(answer, 24 * NS_PER_MS)
    assert (there.rtt.count, there.rtt.sum_ns) == (1, 23 * NS_PER_MS)


def test_it_comes_again_after_four_to_six_seconds(there: Round) -> None:
    assert there.asked() is not None
    began_ns = there.mansion.now_ns
    while there.asked() is None:
        there.mansion.now_ns += 100 * NS_PER_MS
    waited_ns = there.mansion.now_ns - began_ns
    assert INTERVAL_NS * 0.8 <= waited_ns <= INTERVAL_NS * 1.2 + 100 * NS_PER_MS


def test_what_was_not_answered_before_the_next_is_counted(there: Round) -> None:
    first = there.asked()
    assert first is not None
    assert there.mansion.counted("checks_unanswered") == 0
    there.mansion.now_ns += 2 * INTERVAL_NS
    assert there.asked() is not None
    assert there.mansion.counted("checks_unanswered") == 1
    assert not there.takes(there.answer(first)), "too late"
    assert there.rtt.count == 0


def test_nobody_else_can_answer(there: Round) -> None:
    check = there.asked()
    assert check is not None
    good = there.answer(check)
    other = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
    forged = (
        there.answer(check, "wrong" * 5),
        there.answer(other),
        good[:-30],
        good[:20],
        bytes(good[:2]) + b"\0" * 30,
    )
    assert not any(map(there.takes, forged))
    assert not there.consent.answered(path(9), good, SENT_NS)
    assert there.takes(good), "and a forged answer spoils nothing"


@pytest.mark.parametrize(
    "change",
    [
        lambda leg: setattr(leg, "live", False),
        lambda leg: setattr(leg, "srtp", None),
        lambda leg: setattr(leg, "selected", b""),
        lambda leg: setattr(leg, "via", object()),
    ],
    ids=["elsewhere", "no keys", "no path", "by another pod"],
)
def test_only_a_connected_leg_of_ours_is_checked(
    there: Round, change: Callable[[Leg], None]
) -> None:
    change(there.leg)
    assert there.asked() is None


def test_answers_come_through_the_socket(there: Round, mansion: Mansion) -> None:
    ingress = mansion.ingress()
    ingress.answered = there.consent.answered
    check = there.asked()
    assert check is not None
    for _ in range(2):
        there.peer.sendto(there.answer(check), mansion.socket.getsockname())
    taken = 0
    while taken < 2:
        assert select.select([mansion.socket], [], [], 5)[0], "nothing came within 5 s"
        taken += ingress.drain(mansion.now_ns, 0, 0, 1 << 60)
    assert there.rtt.count == 1
    assert mansion.counted("drop_not_stun") == 1, "the second one answers nothing"
