"""No SRTP index is ever used twice, however often media is killed (contract §6)."""

from __future__ import annotations

import itertools

import numpy as np
import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from fakes.mansion import AES_128_GCM, KEYS, Mansion, path, web_leg
from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.edge.mmsg import TX_BYTES
from voiceroom_mixer.media.transmit import RESERVE

REPORT = b"\x80\xc9\x00\x01" + (1_000).to_bytes(4, "big")


class Ear:
    """The client's libsrtp: it refuses an index that it has seen."""

    def __init__(self) -> None:
        self.session = Session(
            Policy(
                key=bytes.fromhex(KEYS.tx),
                ssrc_type=Policy.SSRC_ANY_INBOUND,
                srtp_profile=AES_128_GCM,
            )
        )

    def hear(self, packet: bytes) -> int:
        """The sequence number. Raises ``pylibsrtp.Error`` for a replay."""
        return int.from_bytes(self.session.unprotect(packet)[2:4], "big")


def _connect(mansion: Mansion, index: int) -> None:
    leg = mansion.put(web_leg())
    mansion.house.select(leg, path(6_001))
    mansion.transmit.index[0] = mansion.transmit.bound[0] = index
    mansion.boot()


def _send(mansion: Mansion, count: int) -> list[bytes]:
    """Packets as they leave, protected."""
    found = []
    for n in range(count):
        output = MixOutput(np.array([0]), b"sound", (), resumed=False)
        mansion.egress.mix(output, n * 2, 20, dtx=True)
        sender = mansion.egress.sender
        found.append(sender.buffer[: sender.lengths[0]].tobytes())
        assert sender.data.shape[1] == TX_BYTES
        sender.used = 0
    return found


@pytest.mark.parametrize("begin", [100, 65_536 - 70, 65_535, 65_536 - RESERVE])
def test_a_client_hears_on_through_restarts_and_wraps(mansion: Mansion, begin: int) -> None:
    _connect(mansion, begin)
    ear, seqs = Ear(), []
    for sent in (1, 3, RESERVE, 2, 1, 100):
        seqs += [ear.hear(packet) for packet in _send(mansion, sent)]
        mansion.boot()
    steps = {(b - a) % 2**16 for a, b in itertools.pairwise(seqs)}
    assert min(steps) == 1
    assert max(steps) <= RESERVE + 2


def test_the_bound_is_ahead_of_every_packet_that_left(mansion: Mansion) -> None:
    _connect(mansion, 1_000)
    for _ in range(3 * RESERVE):
        _send(mansion, 1)
        used = mansion.column("tx_index") - 1
        assert used < mansion.column("tx_bound") <= used + 1 + RESERVE


def test_reports_are_never_replayed_over_restarts(mansion: Mansion) -> None:
    _connect(mansion, 1_000)
    ear = Ear()
    for _ in range(6):
        for _ in range(3):
            sealed = mansion.transmit.protect_report(0, REPORT)
            assert sealed is not None
            assert ear.session.unprotect_rtcp(sealed) == REPORT
        mansion.boot()


def test_a_replay_would_be_noticed(mansion: Mansion) -> None:
    _connect(mansion, 1_000)
    ear = Ear()
    (packet,) = _send(mansion, 1)
    ear.hear(packet)
    with pytest.raises(pylibsrtp.Error):
        ear.hear(packet)


def test_before_the_keys_no_report_leaves(mansion: Mansion) -> None:
    mansion.put(web_leg(srtp=None))
    assert mansion.transmit.protect_report(0, REPORT) is None
