"""One client: ICE towards an ICE-lite peer, DTLS, a tone every 20 ms, and what is heard."""

from __future__ import annotations

import secrets
import select
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import numpy as np
import pylibsrtp

from voiceroom_api.units import NS_PER_MS, SAMPLE_RATE
from voiceroom_mixer.cli.probing.security import Dtls
from voiceroom_mixer.cli.probing.signalling import PAYLOAD_TYPE, Answer, Link, Session
from voiceroom_mixer.cli.probing.tones import tone
from voiceroom_mixer.codec.base import CodecError
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.receive.source import Pcm
from voiceroom_mixer.core.rtp.packet import RtpPacket, build, parse

FRAME_SAMPLES: Final = 960
FRAME_NS: Final = 20 * NS_PER_MS
_CHECK_NS: Final = 50 * NS_PER_MS
"""Between connectivity checks (Ta of RFC 8445 §14.2)."""
_KEPT_NS: Final = 1000 * NS_PER_MS
"""Between checks of the path in use."""
_MAX_PACKETS: Final = 3_000
"""A minute of what is heard; what comes later is not kept."""
_MAX_DATAGRAM: Final = 2_048

Path = tuple[str, int]


class ProbeLeg:
    """Call ``step`` every few milliseconds; nothing here waits."""

    def __init__(self, link: Link, hz: float, wall_ns: int, tls: ssl.SSLContext | None) -> None:
        self.hz = hz
        self._dtls = Dtls(wall_ns)
        self._session = Session(link, self._dtls.fingerprint, tls)
        self._encoder = OpusEncoder()
        self._sockets: dict[int, socket.socket] = {}
        self._answer: Answer | None = None
        self._asked: dict[bytes, Path] = {}
        self._path: Path | None = None
        self._next_check = self._next_frame = 0
        self._sent = 0
        self._first_seq = secrets.randbits(15)
        self._ssrc = secrets.randbits(32)
        self._heard: list[tuple[int, bytes]] = []
        self._highest = -1

    @property
    def connected(self) -> bool:
        """Whether ICE and DTLS are done."""
        return self._dtls.done

    @property
    def packets(self) -> int:
        """How many came."""
        return len(self._heard)

    @property
    def lost(self) -> int:
        """How many of those that were sent to us did not come."""
        numbers = {number for number, _ in self._heard}
        return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0

    def join(self) -> None:
        """Offer and answer. Raises ``Refused``."""
        self._answer = self._session.join()
        for ip, _ in self._answer.candidates:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            if family not in self._sockets:
                self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
                self._sockets[family].setblocking(False)

    def sockets(self) -> Iterable[socket.socket]:
        """To wait on."""
        return self._sockets.values()

    def step(self, now_ns: int) -> None:
        """Receive what is there, send what is due. Raises ``ConnectionError``."""
        for sock in select.select(list(self._sockets.values()), [], [], 0)[0]:
            self._drain(sock)
        if now_ns >= self._next_check:
            self._next_check = now_ns + (_KEPT_NS if self.connected else _CHECK_NS)
            self._check()
            self._shake()
        if self.connected and now_ns >= self._next_frame:
            # absolute: a late step is made up for, and the pace stays
            self._next_frame = (self._next_frame or now_ns) + FRAME_NS
            self._speak()

    def close(self) -> None:
        """Leave, say so, and let go of everything; errors do not matter any more."""
        with suppress(OSError):
            self._put_all(self._dtls.close())
        with suppress(ConnectionError):
            self._session.leave()
        for sock in self._sockets.values():
            sock.close()
        self._encoder.close()

    def sound(self, seconds: float) -> Pcm:
        """The last ``seconds`` that were heard; losses are concealed."""
        decoder = OpusDecoder()
        parts: list[Pcm] = []
        expected: int | None = None
        for number, payload in sorted(dict(self._heard).items()):
            missing = 0 if expected is None else min(number - expected, 50)
            parts.extend(decoder.plc(FRAME_SAMPLES).copy() for _ in range(missing))
            with suppress(CodecError):
                parts.append(decoder.decode(payload).copy())
            expected = number + 1
        decoder.close()
        whole = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return whole[-int(seconds * SAMPLE_RATE) :]

    # sending

    def _check(self) -> None:
        """Every candidate until one has answered; then the path in use, nominated."""
        assert self._answer is not None
        targets = self._answer.candidates if self._path is None else (self._path,)
        user = f"{self._answer.ufrag}:{self._session.ufrag}"
        for target in targets:
            transaction = secrets.token_bytes(12)
            self._asked[transaction] = target
            nominate = self._path is not None
            request = stun.request(
                transaction, user, self._answer.pwd, use_candidate=nominate, priority=1
            )
            self._put(request, target)

    def _shake(self) -> None:
        if self._path is not None and self._answer is not None and not self.connected:
            self._put_all(self._dtls.advance(self._answer.fingerprint))

    def _speak(self) -> None:
        frame = tone(self.hz, self._sent * FRAME_SAMPLES, FRAME_SAMPLES)
        packet = RtpPacket(
            payload_type=PAYLOAD_TYPE,
            sequence=(self._first_seq + self._sent) & 0xFFFF,
            timestamp=(self._sent * FRAME_SAMPLES) & 0xFFFF_FFFF,
            ssrc=self._ssrc,
            payload=self._encoder.encode(frame),
            marker=self._sent == 0,
        )
        self._sent += 1
        self._put_all([self._dtls.seal(build(packet))])

    def _put_all(self, datagrams: list[bytes]) -> None:
        if self._path is not None:
            for datagram in datagrams:
                self._put(datagram, self._path)

    def _put(self, datagram: bytes, target: Path) -> None:
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        with suppress(OSError):  # an address that cannot be reached: another candidate may be
            self._sockets[family].sendto(datagram, target)

    # receiving

    def _drain(self, sock: socket.socket) -> None:
        with suppress(OSError):  # nothing more, or an ICMP error of a candidate
            while True:
                data, source = sock.recvfrom(_MAX_DATAGRAM)
                self._take(data, (str(source[0]), int(source[1])))

    def _take(self, data: bytes, source: Path) -> None:
        """By its first byte (RFC 7983)."""
        if not data:
            return
        if data[0] < 4:
            self._take_stun(data, source)
        elif 20 <= data[0] < 64:
            self._dtls.take(data)
            self._shake()
        elif data[0] >= 128 and self.connected:
            self._take_srtp(data)

    def _take_stun(self, data: bytes, source: Path) -> None:
        with suppress(stun.StunError):
            is_answer = stun.message_type(data) == stun.BINDING_SUCCESS
            target = self._asked.pop(data[8:20], None)
            if is_answer and target is not None and self._path is None and target[1] == source[1]:
                self._path = target
                self._next_check = 0

    def _take_srtp(self, data: bytes) -> None:
        if 192 <= data[1] <= 223 or len(self._heard) >= _MAX_PACKETS:
            return
        with suppress(pylibsrtp.Error, ValueError):
            packet = parse(self._dtls.open(data))
            self._heard.append((self._extended(packet.sequence), packet.payload))

    def _extended(self, sequence: int) -> int:
        """The sequence number without wrap-around (RFC 3550 §A.1)."""
        if self._highest < 0:
            self._highest = sequence + 0x1_0000
        found = self._highest + ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        self._highest = max(self._highest, found)
        return found
