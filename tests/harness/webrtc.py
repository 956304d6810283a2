"""A WebRTC leg made of nothing of ours but STUN requests: pyOpenSSL's DTLS and libsrtp over one
socket, so that a test may roam, restart ICE, send what it likes and count every SRTP index."""

from __future__ import annotations

import base64
import os
import re
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pylibsrtp
from aiortc import RTCCertificate
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from harness.door import Door
from harness.rtp import RtpLeg
from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.rtp.packet import build_extensions
from voiceroom_mixer.core.rtp.reporting import ntp_from_wall
from voiceroom_mixer.core.rtp.stamps import CAPTURE_URI, MIX_TIMES_URI

PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
CHECK_S = 1.0
LEVEL_ID, MIX_LEVEL_ID = 1, 2
CAPTURE_ID, TIMES_ID = 5, 6
STAMPS = f"a=extmap:{CAPTURE_ID} {CAPTURE_URI}\r\na=extmap:{TIMES_ID} {MIX_TIMES_URI}\r\n"
CERTIFICATE = RTCCertificate.generateCertificate()
OFFER = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a={direction}
a=rtcp-mux
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=fingerprint:sha-256 {fingerprint}
a=setup:active
a=rtpmap:111 opus/48000/2
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level
"""
FRAGMENT = "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"


@dataclass
class Ice:
    """One ICE session: both credentials, and where the mixer said it is."""

    ufrag: str
    pwd: str
    remote_ufrag: str = ""
    remote_pwd: str = ""
    candidates: tuple[tuple[str, int], ...] = ()

    @classmethod
    def fresh(cls) -> Ice:
        """New credentials of ours."""
        ufrag, pwd = (base64.b64encode(os.urandom(n)).decode() for n in (6, 18))
        return cls(ufrag, pwd)

    def learn(self, text: str) -> None:
        """From an answer or a fragment."""
        self.remote_ufrag = re.findall(r"a=ice-ufrag:(\S+)", text)[0]
        self.remote_pwd = re.findall(r"a=ice-pwd:(\S+)", text)[0]
        found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", text)
        self.candidates = tuple((ip, int(port)) for ip, port in found)


def _captured_now() -> bytes:
    """A capture time for a packet that is made now."""
    return struct.pack("!Q", ntp_from_wall(time.time_ns()))


def offer(ice: Ice, direction: str = "sendrecv") -> str:
    """SDP with the certificate of all legs here."""
    prints = [f.value for f in CERTIFICATE.getFingerprints() if f.algorithm == "sha-256"]
    values = {"direction": direction, "ufrag": ice.ufrag, "pwd": ice.pwd, "fingerprint": prints[0]}
    return OFFER.format(**values).replace("\n", "\r\n")


def _context() -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(CERTIFICATE._cert)
    context.use_privatekey(CERTIFICATE._key)
    context.set_tlsext_use_srtp(b":".join(PROFILES))
    return context


class WebRtcLeg(RtpLeg):
    """Joins by WHIP or WHEP. ``heard`` holds what could be unprotected, ``indexes`` every SRTP
    index by SSRC, ``refused`` what libsrtp said no to (a replay: an index that came twice)."""

    def __init__(self, hz: float | None, *, levels: bool = False, host: str = "127.0.0.1") -> None:
        super().__init__(hz, host=host)
        self.levels = levels
        self.stamps = False
        """Says when its sound was captured, answers checks, and asks for times in what it hears."""
        self.level = 30
        self.ice = Ice.fresh()
        self.location = self.etag = self.answer = self.id = ""
        self.token = ""
        self.indexes: dict[int, list[int]] = {}
        self.refused: list[str] = []
        self.handshakes = 0
        self.closed_by_peer = False
        self.check_answers: list[tuple[int, tuple[str, int]]] = []
        """Monotonic ns and source of each STUN answer."""
        self.sources: list[tuple[str, int]] = []
        """Where each SRTP and SRTCP datagram came from."""
        self._sockets = [self.socket]
        self._srtp_in: Any = None
        self._srtp_out: Any = None
        self._sealing = threading.Lock()
        """Two threads seal: the voice, and the test its reports; a session has one buffer."""
        self._ssl: Any = None
        self.sent = b""
        """The latest SRTP packet."""
        self.checking = True
        self._next_check = 0.0

    # signalling

    def join(
        self,
        mixer: Door,
        token: str,
        *,
        mode: str = "whip",
        direction: str = "sendrecv",
        room: str = "lobby",
        replaces: str = "",
    ) -> WebRtcLeg:
        """In the room, connected and sending."""
        self.signal(mixer, token, mode=mode, direction=direction, room=room, replaces=replaces)
        self.connect()
        self.start(self.target)
        return self

    def signal(
        self,
        mixer: Door,
        token: str,
        *,
        mode: str = "whip",
        direction: str = "sendrecv",
        room: str = "lobby",
        replaces: str = "",
    ) -> None:
        """Offer and answer only."""
        path = f"/rooms/{room}/{mode}" + (f"?replaces={replaces}" if replaces else "")
        body = offer(self.ice, direction) + (STAMPS if self.stamps else "")
        status, self.answer, headers = mixer.call(
            "POST", path, token, body, Content_Type="application/sdp"
        )
        assert status == 201, (status, self.answer)
        self.token = token
        self.location, self.etag = headers["Location"], headers["ETag"]
        self.id = self.location.rpartition("/")[2]
        self.ice.learn(self.answer)

    def restart_ice(self, mixer: Door) -> Ice:
        """PATCH the resource; the new session is used from now on. Gives the old one."""
        old, fresh = self.ice, Ice.fresh()
        text = FRAGMENT.format(ufrag=fresh.ufrag, pwd=fresh.pwd)
        kind = "application/trickle-ice-sdpfrag"
        status, answer, headers = mixer.call(
            "PATCH", self.location, self.token, text, Content_Type=kind, If_Match="*"
        )
        assert status == 200, (status, answer)
        assert headers["ETag"] != self.etag
        self.etag = headers["ETag"]
        fresh.learn(answer)
        self.ice = fresh
        return old

    # ICE

    def check(self, sock: socket.socket, target: tuple[str, int], *, nominate: bool = True) -> None:
        """Send one binding request; the answer comes to ``take``."""
        user = f"{self.ice.remote_ufrag}:{self.ice.ufrag}"
        request = stun.request(
            os.urandom(12), user, self.ice.remote_pwd, use_candidate=nominate, priority=1
        )
        sock.sendto(request, target)

    def nominate(
        self, target: tuple[str, int], sock: socket.socket | None = None, timeout_s: float = 5.0
    ) -> None:
        """Check and nominate a path, and use it once it is answered."""
        sock = sock or self.socket
        if sock not in self._sockets:
            self._sockets.append(sock)
        since, deadline = time.monotonic_ns(), time.monotonic() + timeout_s
        while not any(at > since and who[:2] == target for at, who in list(self.check_answers)):
            assert time.monotonic() < deadline, f"no STUN answer from {target}"
            self.check(sock, target)
            if self.threads:
                with self.changed:
                    self.changed.wait(0.05)
            else:
                self._receive_once(0.05)
        self.socket, self.target = sock, target

    def roam(self) -> None:
        """Go on from another port, as a phone does from another network."""
        self.nominate(self.target, self.new_socket())

    # DTLS

    def connect(self) -> None:
        """ICE on the first candidate, DTLS as its client, SRTP keys."""
        self.nominate(self.ice.candidates[0])
        self._ssl = SSL.Connection(_context())
        self._ssl.set_connect_state()
        deadline = time.monotonic() + 10.0
        while self._srtp_in is None:
            assert time.monotonic() < deadline, "no DTLS"
            self._shake()
            if self._srtp_in is None:
                self._receive_once(0.1)

    def _shake(self) -> None:
        with suppress(SSL.WantReadError):
            self._ssl.DTLSv1_handle_timeout()
            self._ssl.do_handshake()
            self._take_keys()
        self._flush_dtls()

    def _flush_dtls(self) -> None:
        while True:
            try:
                self.socket.sendto(self._ssl.bio_read(1500), self.target)
            except SSL.WantReadError:
                return

    def _take_keys(self) -> None:
        self.handshakes += 1
        profile, key, salt = PROFILES[self._ssl.get_selected_srtp_profile()]
        made = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = made[:key] + made[2 * key : 2 * key + salt]
        server = made[key : 2 * key] + made[2 * key + salt :]
        self._srtp_out = Session(
            Policy(key=client, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        )
        self._srtp_in = Session(
            Policy(key=server, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        )

    def say_goodbye(self) -> None:
        """close_notify."""
        try:
            self._ssl.shutdown()
        except SSL.Error:
            self.refused.append("shutdown")
        self._flush_dtls()

    # datagrams

    def packet(self, payload: bytes) -> bytes:
        """With the level of RFC 6464 where this leg tells it."""
        plain = super().packet(payload)
        if self.stamps:
            elements = ((LEVEL_ID, bytes((self.level,))), (CAPTURE_ID, _captured_now()))
            return bytes((0x90,)) + plain[1:12] + build_extensions(elements) + payload
        if not self.levels:
            return plain
        block = struct.pack("!HHBBH", 0xBEDE, 1, LEVEL_ID << 4, 0x80 | self.level, 0)
        return bytes((0x90,)) + plain[1:12] + block + payload

    def seal(self, packet: bytes) -> bytes:
        """SRTP."""
        with self._sealing:
            return bytes(self._srtp_out.protect(packet))

    def put(self, packet: bytes) -> None:
        """Protected."""
        self.sent = self.seal(packet)
        self.socket.sendto(self.sent, self.target)

    def seal_report(self, report: bytes) -> bytes:
        """SRTCP."""
        with self._sealing:
            return bytes(self._srtp_out.protect_rtcp(report))

    def put_report(self, report: bytes) -> None:
        """Protected."""
        self.socket.sendto(self.seal_report(report), self.target)

    def _receive(self) -> None:
        """And now and then a check, without which the leg would end."""
        while not self.stopped.is_set():
            if self.checking and time.monotonic() >= self._next_check:
                self._next_check = time.monotonic() + CHECK_S
                self.check(self.socket, self.target)
            self._receive_once(0.1)

    def _receive_once(self, wait_s: float) -> None:
        for sock in select.select(list(self._sockets), [], [], wait_s)[0]:
            try:
                data, source = sock.recvfrom(2048)
            except ConnectionRefusedError:
                continue
            self._demultiplex(data, (source[0], source[1]))

    def _demultiplex(self, data: bytes, source: tuple[str, int]) -> None:
        if data[0] < 4:
            kind = stun.message_type(data)
            if kind == stun.BINDING_REQUEST and self.stamps:
                ip = socket.inet_aton(source[0])
                self.socket.sendto(stun.success(data[8:20], ip, source[1], self.ice.pwd), source)
            if kind == stun.BINDING_SUCCESS:
                with self.changed:
                    self.check_answers.append((time.monotonic_ns(), source))
                    self.changed.notify_all()
        elif 20 <= data[0] < 64:
            self._dtls(data)
        elif data[0] >= 128 and self._srtp_in is not None:
            self.sources.append(source)
            self._srtp(data)

    def _dtls(self, data: bytes) -> None:
        self._ssl.bio_write(data)
        if self.handshakes:
            try:
                self._ssl.recv(1500)
            except SSL.WantReadError:
                return
            except SSL.Error:
                with self.changed:
                    self.closed_by_peer = True
                    self.changed.notify_all()

    def _srtp(self, data: bytes) -> None:
        is_report = 192 <= data[1] <= 223
        try:
            unprotect = self._srtp_in.unprotect_rtcp if is_report else self._srtp_in.unprotect
            plain = unprotect(data)
        except pylibsrtp.Error as error:
            self.refused.append(str(error))
            return
        if not is_report:
            self._count(*struct.unpack_from("!HxxxxI", data, 2))
        self.take(plain)

    def _count(self, seq: int, ssrc: int) -> None:
        seen = self.indexes.setdefault(ssrc, [])
        highest = seen[-1] if seen else seq
        seen.append(highest + ((seq - highest + 0x8000) & 0xFFFF) - 0x8000)

    def close(self) -> None:
        """Stop and close every socket."""
        super().close()
        for sock in self._sockets:
            sock.close()
