"""SRTP of one leg over libsrtp (RFC 3711), with indexes that can be set: a restarted process goes
on where it may, and no index is ever used twice.

libsrtp comes with pylibsrtp; its functions are called on our slabs in place, because the wrapper
copies each packet twice. One thread owns a session.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pylibsrtp import Error, Policy, Session, _binding

_lib: Final[Any] = _binding.lib
_ffi: Final[Any] = _binding.ffi
_symbols = ctypes.CDLL(_binding.__file__)
_set_roc = _symbols.srtp_set_stream_roc
_set_roc.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
_get_roc = _symbols.srtp_get_stream_roc
_get_roc.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)

OK: Final = 0
AUTH_FAIL: Final = 7
REPLAY_FAIL: Final = 9
REPLAY_OLD: Final = 10
_RTCP_TAG_BYTES: Final = {Policy.SRTP_PROFILE_AES128_CM_SHA1_80: 10}
"""What follows the SRTCP index in a packet (RFC 3711 §3.4); nothing with AEAD (RFC 7714 §9.2)."""
WINDOW: Final = 1024
MAX_STREAMS: Final = 16
"""SSRCs that one peer may have used: each costs a stream in libsrtp."""
protect = _lib.srtp_protect
"""(context, row pointer, length pointer) -> status; in place."""
unprotect = _lib.srtp_unprotect
protect_rtcp = _lib.srtp_protect_rtcp
unprotect_rtcp = _lib.srtp_unprotect_rtcp


class SrtpError(RuntimeError):
    """libsrtp refused keys or an index."""


class RowPointers:
    """libsrtp's view of a slab: a pointer to each row, and a length for each."""

    def __init__(self, address: int, rows: int, row_bytes: int) -> None:
        self.rows = [_ffi.cast("void *", address + i * row_bytes) for i in range(rows)]
        self._lengths = _ffi.new("int[]", rows)
        self.length_pointers = [self._lengths + i for i in range(rows)]
        self.lengths: NDArray[np.int32] = np.frombuffer(_ffi.buffer(self._lengths), np.int32)
        """Bytes in each row, before and after."""


def _policy(profile: int, key: bytes, ssrc: int | None, inbound: bool) -> Policy:
    anyone = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    kind = anyone if ssrc is None else Policy.SSRC_SPECIFIC
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    if ssrc is not None:
        policy.ssrc_value = ssrc
    policy.window_size = WINDOW
    return policy


def _address(session: Session) -> ctypes.c_void_p:
    return ctypes.c_void_p(_number(session))


def _number(session: Session) -> int:
    return int(_ffi.cast("uintptr_t", session._srtp[0]))


def entry(name: str) -> int:
    """Address of a libsrtp function, for compiled code that calls it on our slabs."""
    address = ctypes.cast(getattr(_symbols, name), ctypes.c_void_p).value
    assert address, f"libsrtp has no {name}"
    return address


class SrtpSender:
    """Protects what we send under one SSRC, from a given 48-bit index on."""

    def __init__(self, profile: int, key: bytes, ssrc: int, index: int, srtcp_index: int) -> None:
        try:
            self._session = Session(policy=_policy(profile, key, ssrc, inbound=False))
        except Exception as error:
            raise SrtpError(f"libsrtp refused the sending key: {error}") from error
        self.context = self._session._srtp[0]
        self.address = _number(self._session)
        """Of ``context``, for compiled code; valid as long as this object lives."""
        self.ssrc = ssrc
        self.srtcp_index = 0
        self.advance(index, srtcp_index)

    def advance(self, index: int, srtcp_index: int) -> None:
        """Go on from these, none of which may be below what was used. libsrtp has no call to set
        the SRTCP index: protect and throw away that many reports."""
        assert srtcp_index >= self.srtcp_index, "an SRTCP index is never used twice"
        if _set_roc(_address(self._session), self.ssrc, index >> 16) != OK:
            raise SrtpError("libsrtp refused the roll-over counter")
        report = b"\x80\xc9\x00\x01" + self.ssrc.to_bytes(4, "big")
        for _ in range(srtcp_index - self.srtcp_index):
            self.protect_rtcp(report)

    def protect_rtcp(self, report: bytes) -> bytes:
        """One SRTCP packet; uses up one SRTCP index."""
        self.srtcp_index += 1
        return bytes(self._session.protect_rtcp(report))


class SrtpReceiver:
    """Unprotects what one peer sends, under any SSRC; known streams resume at their index."""

    def __init__(self, profile: int, key: bytes) -> None:
        self._profile, self._key = profile, key
        try:
            self._session = Session(policy=_policy(profile, key, None, inbound=True))
        except Exception as error:
            raise SrtpError(f"libsrtp refused the receiving key: {error}") from error
        self.context = self._session._srtp[0]
        self.address = _number(self._session)
        """Of ``context``, for compiled code; valid as long as this object lives."""
        self._streams: set[int] = set()
        self._rtcp_before = -1
        self.rtcp_mark = 0
        """The newest report: SSRC in the upper 32 bits, its SRTCP index in the lower."""

    def resume_rtcp(self, mark: int) -> None:
        """Refuse the reports that were taken up to ``rtcp_mark`` of the one before us.

        0: it took none. Of the SSRC in it only; a peer that reports under several is guarded for
        its latest.
        """
        self._rtcp_before, self.rtcp_mark = mark or -1, mark

    def resume(self, ssrc: int, index: int) -> None:
        """Go on with a stream whose highest 48-bit index was ``index``.

        Near the end of a roll-over the next packet may already be past it: a session told r fails
        on the first packet of r + 1, and ``set_roc`` is the cure.
        """
        self._session.add_stream(_policy(self._profile, self._key, ssrc, inbound=True))
        self._streams.add(ssrc)
        self.set_roc(ssrc, index >> 16)

    def set_roc(self, ssrc: int, roc: int) -> None:
        """Tell libsrtp that ``ssrc`` is in roll-over ``roc``."""
        if _set_roc(_address(self._session), ssrc, roc) != OK:
            raise SrtpError("libsrtp refused the roll-over counter")

    def admits(self, ssrc: int) -> bool:
        """Whether one more SSRC may be tried: bounded, as each costs memory for good."""
        return ssrc in self._streams or len(self._streams) < MAX_STREAMS

    def accepted(self, ssrc: int) -> None:
        """A packet of ``ssrc`` was authentic: libsrtp now holds a stream for it."""
        self._streams.add(ssrc)

    def roc(self, ssrc: int) -> int:
        """The roll-over counter of a stream."""
        value = ctypes.c_uint32()
        if _get_roc(_address(self._session), ssrc, ctypes.byref(value)) != OK:
            raise SrtpError("libsrtp knows no such stream")
        return value.value

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The plain report; None when it is not authentic, replayed or too long."""
        try:
            plain = bytes(self._session.unprotect_rtcp(packet))
        except (Error, ValueError):
            return None
        mark = self._mark(packet)
        if mark <= self._rtcp_before and mark >> 32 == self._rtcp_before >> 32:
            return None  # libsrtp's replay window began empty, and the index never starts again
        if mark > self.rtcp_mark or mark >> 32 != self.rtcp_mark >> 32:
            self.rtcp_mark = mark
        return plain

    def _mark(self, packet: bytes) -> int:
        """SSRC and SRTCP index of an authentic packet (RFC 3711 §3.4)."""
        end = len(packet) - _RTCP_TAG_BYTES.get(self._profile, 0)
        index = int.from_bytes(packet[end - 4 : end], "big") & 0x7FFF_FFFF
        return int.from_bytes(packet[4:8], "big") << 32 | index
