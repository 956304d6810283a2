"""Batched datagram I/O: recvmmsg(2) and sendmmsg(2) over preallocated slabs.

One system call moves up to a batch of packets, and numpy sees headers, lengths, addresses and
kernel arrival times as columns, so that what is the same for all packets is done once for all.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

RX_BATCH: Final = 256
RX_BYTES: Final = 2048
"""Room for one datagram; a longer one is truncated and dropped by its flag."""
TX_BATCH: Final = 1024
TX_BYTES: Final = 1536
NAME_BYTES: Final = 28
PATH_BYTES: Final = NAME_BYTES + 16
"""A path is a peer's struct sockaddr and the 16 bytes of our address that it sends to."""
_CONTROL_BYTES: Final = 128
_SO_TIMESTAMPNS: Final = 35
_SO_RXQ_OVFL: Final = 40
_IP_PKTINFO: Final = 8
_IPV6_RECVPKTINFO: Final = 49
_IPV6_PKTINFO: Final = 50
_CMSG: Final = struct.Struct("<Qii")
V4_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_MSG_TRUNC: Final = 0x20
_MSG_DONTWAIT: Final = 0x40
_RETRIES: Final = 3
_REFUSED: Final = frozenset(
    (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ECONNRESET)
)

_MMSGHDR: Final = np.dtype(
    {
        "names": ["name", "namelen", "iov", "iovlen", "control", "controllen", "flags", "len"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
_IOVEC: Final = np.dtype([("base", "u8"), ("len", "u8")])


def _rtp_rows(row_bytes: int) -> np.dtype[np.void]:
    """The RTP header fields (RFC 3550 §5.1) of a slab's rows."""
    return np.dtype(
        {
            "names": ["first", "second", "seq", "timestamp", "ssrc"],
            "formats": ["u1", "u1", ">u2", ">u4", ">u4"],
            "offsets": [0, 1, 2, 4, 8],
            "itemsize": row_bytes,
        }
    )


RtpHead = tuple[int, int, int, int, int]
"""first byte, second byte, sequence number, timestamp, SSRC."""

_libc = ctypes.CDLL(None, use_errno=True)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


def _headers(
    batch: int, names: NDArray[np.uint8], data: NDArray[np.uint8], iov: NDArray[np.void]
) -> NDArray[np.void]:
    """mmsghdr rows that point at the rows of ``names`` and ``data``."""
    rows = np.arange(batch, dtype=np.uint64)
    iov["base"] = data.ctypes.data + rows * data.shape[1]
    iov["len"] = data.shape[1]
    headers = np.zeros(batch, _MMSGHDR)
    headers["name"] = names.ctypes.data + rows * NAME_BYTES
    headers["namelen"] = NAME_BYTES
    headers["iov"] = iov.ctypes.data + rows * _IOVEC.itemsize
    headers["iovlen"] = 1
    return headers


class Receiver:
    """Drains a non-blocking UDP socket in batches, with kernel arrival times."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        ask_for_local_address(sock)
        self.fd = sock.fileno()
        self.key_bytes = 8 if sock.family == socket.AF_INET else NAME_BYTES
        """Leading bytes of a sockaddr that identify a source."""
        self.data = np.zeros((RX_BATCH, RX_BYTES), np.uint8)
        self.buffer = self.data.data.cast("B")
        self.address = self.data.ctypes.data
        """Of the slab, for those who work on it in place."""
        self._rtp = self.data.reshape(-1).view(_rtp_rows(RX_BYTES))
        self.names = np.zeros((RX_BATCH, NAME_BYTES), np.uint8)
        self._iov = np.zeros(RX_BATCH, _IOVEC)
        self.control = np.zeros((RX_BATCH, _CONTROL_BYTES), np.uint8)
        self._stamps = self.control.view(np.int64)
        self._words = self.control.view(np.uint32)
        self.headers = _headers(RX_BATCH, self.names, self.data, self._iov)
        rows = np.arange(RX_BATCH, dtype=np.uint64)
        self.headers["control"] = self.control.ctypes.data + rows * _CONTROL_BYTES
        self.headers["controllen"] = _CONTROL_BYTES
        self._pointer = ctypes.c_void_p(self.headers.ctypes.data)
        self._overflowed = 0
        self.count = 0

    def drain(self) -> int:
        """Receive one batch; how many datagrams there are now (0: nothing waits)."""
        self.headers["namelen"][: self.count] = NAME_BYTES
        self.headers["controllen"][: self.count] = _CONTROL_BYTES
        self.count = 0
        for _ in range(_RETRIES):
            got = int(_recvmmsg(self.fd, self._pointer, RX_BATCH, _MSG_DONTWAIT, None))
            if got >= 0:
                self.count = got
                return got
            if ctypes.get_errno() in (errno.EAGAIN, errno.EWOULDBLOCK):
                return 0
        return 0

    def lengths(self) -> list[int]:
        """Bytes of each datagram; -1 where it was longer than a row."""
        headers = self.headers[: self.count]
        lengths = headers["len"].astype(np.int64)
        lengths[(headers["flags"] & _MSG_TRUNC) != 0] = -1
        return list(lengths.tolist())

    def heads(self) -> list[RtpHead]:
        """The RTP header of each row, whatever it really holds: a short datagram shows what was in
        the row before, so look at its length first."""
        heads: list[RtpHead] = self._rtp[: self.count].tolist()
        return heads

    def keys(self) -> list[bytes]:
        """What identifies each datagram's source: the head of its struct sockaddr."""
        names, size = self.names[: self.count].tobytes(), self.key_bytes
        return [names[at : at + size] for at in range(0, len(names), NAME_BYTES)]

    def arrivals(self, offset_ns: int, earliest_ns: int, latest_ns: int) -> list[int]:
        """Arrival times in nanoseconds of the clock that is ``offset_ns`` ahead of CLOCK_REALTIME.

        Kernel stamps are wall time; a step of the wall clock between arrival and drain would show
        in them, so they are held to the window in which the packets must have come.
        """
        stamps = self._stamps[: self.count]
        ns = stamps[:, 2] * 1_000_000_000 + stamps[:, 3] + offset_ns
        ns[self._words[: self.count, 3] != _SO_TIMESTAMPNS] = latest_ns
        # Not np.clip: its checks cost more than the work on a handful of packets.
        held = np.minimum(np.maximum(ns, earliest_ns), latest_ns)
        return list(held.tolist())

    def overflowed(self) -> int:
        """Datagrams that the kernel dropped since the last call, as the socket was full."""
        value = self._ancillary(self.count - 1, socket.SOL_SOCKET, _SO_RXQ_OVFL)
        if value is None:
            return 0
        total = int.from_bytes(value[:4], "little")
        new, self._overflowed = (total - self._overflowed) & 0xFFFF_FFFF, total
        return new

    def path(self, row: int) -> bytes:
        """Who sent the datagram in ``row``, and to which address of ours: an answer must come from
        there, or a client that checked one of several addresses refuses it (RFC 8445 §7.2.5.2.1).
        """
        name: bytes = self.names[row].tobytes()
        info = self._ancillary(row, socket.IPPROTO_IP, _IP_PKTINFO)
        if info is not None:
            return name + info[8:12].ljust(16, b"\0")
        info = self._ancillary(row, socket.IPPROTO_IPV6, _IPV6_PKTINFO)
        return name + (info[:16] if info is not None else unspecified(name))

    def _ancillary(self, row: int, level: int, kind: int) -> bytes | None:
        """The value of one control message of a datagram."""
        if row < 0:
            return None
        raw = self.control[row, : int(self.headers["controllen"][row])].tobytes()
        at = 0
        while at + _CMSG.size <= len(raw):
            length, its_level, its_kind = _CMSG.unpack_from(raw, at)
            if length < _CMSG.size:
                return None
            if (its_level, its_kind) == (level, kind):
                return raw[at + _CMSG.size : at + length]
            at += (length + 7) & ~7
        return None


class Sender:
    """A slab of outgoing datagrams: fill rows, then ``flush`` them in one system call."""

    def __init__(self, sock: socket.socket) -> None:
        self.fd = sock.fileno()
        self._ipv4 = sock.family == socket.AF_INET
        self.data = np.zeros((TX_BATCH, TX_BYTES), np.uint8)
        self.buffer = self.data.data.cast("B")
        self.rtp = self.data.reshape(-1).view(_rtp_rows(TX_BYTES))
        """The RTP header fields of each row, as columns."""
        self.names = np.zeros((TX_BATCH, NAME_BYTES), np.uint8)
        self._iov = np.zeros(TX_BATCH, _IOVEC)
        self.headers = _headers(TX_BATCH, self.names, self.data, self._iov)
        self.headers["namelen"] = 16 if self._ipv4 else NAME_BYTES
        self._sources = self._source_column()
        self._base = self.headers.ctypes.data
        self.address = self.data.ctypes.data
        """Of the slab, for those who work on it in place."""
        self.lengths = self._iov["len"]
        """Bytes to send of each row."""
        self.used = 0
        self.sent = 0
        self.errors = 0
        self.full = 0

    def _source_column(self) -> NDArray[np.uint8]:
        """A pktinfo control message for each row; the bytes in it that say our address."""
        size, level, kind, at = (
            (12, 0, _IP_PKTINFO, 20) if self._ipv4 else (20, 41, _IPV6_PKTINFO, 16)
        )
        self.source_at, self.source_bytes = at, 4 if self._ipv4 else 16
        """Where our address stands in a row's control message."""
        length = _CMSG.size + size
        self._control = np.zeros((TX_BATCH, (length + 7) & ~7), np.uint8)
        self._control[:, : _CMSG.size] = np.frombuffer(_CMSG.pack(length, level, kind), np.uint8)
        rows = np.arange(TX_BATCH, dtype=np.uint64)
        self.headers["control"] = self._control.ctypes.data + rows * self._control.shape[1]
        self.headers["controllen"] = self._control.shape[1]
        return self._control[:, at : at + self.source_bytes]

    @property
    def room(self) -> int:
        """Rows that are still free."""
        return TX_BATCH - self.used

    def direct(self, rows: slice | int, paths: NDArray[np.uint8]) -> None:
        """Send ``rows`` along ``paths``, shape (rows, PATH_BYTES) or (PATH_BYTES,)."""
        self.names[rows] = paths[..., :NAME_BYTES]
        self._sources[rows] = paths[..., NAME_BYTES : NAME_BYTES + self._sources.shape[1]]

    def flush(self) -> int:
        """Send all used rows; how many went out. What the kernel refuses is dropped and counted
        (``full`` when its buffer was full, else ``errors``)."""
        start, sent, tries = 0, 0, 0
        while start < self.used:
            at = self._base + start * _MMSGHDR.itemsize
            done = int(_sendmmsg(self.fd, at, self.used - start, _MSG_DONTWAIT))
            if done > 0:
                start, sent, tries = start + done, sent + done, 0
                continue
            tries += 1
            start, tries = self._refused(start, tries)
        self.used = 0
        self.sent += sent
        return sent

    def _refused(self, start: int, tries: int) -> tuple[int, int]:
        """After an error at row ``start``: where to go on, and with how many tries behind us.

        A pending ICMP error of another peer fails a send once, so the same row is tried again.
        """
        code = ctypes.get_errno()
        if code in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS):
            if tries <= _RETRIES:
                return start, tries
            self.full += self.used - start
            return self.used, 0
        if code in _REFUSED and tries <= _RETRIES:
            return start, tries
        self.errors += 1
        return start + 1, 0


def ask_for_local_address(sock: socket.socket) -> None:
    """Have each datagram say which address of ours it was sent to (ip(7), ipv6(7))."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)


def unspecified(name: bytes) -> bytes:
    """The local part of a path when the kernel shall choose our address."""
    mapped = len(name) >= 24 and name[8:20] == V4_MAPPED
    return V4_MAPPED + bytes(4) if mapped else bytes(16)


def source_message(family: int, local: bytes) -> list[tuple[int, int, bytes]]:
    """Ancillary data for ``socket.sendmsg`` that makes ``local`` (of a path) the source address."""
    if not any(local):
        return []
    if family == socket.AF_INET:
        return [(socket.IPPROTO_IP, _IP_PKTINFO, bytes(4) + local[:4] + bytes(4))]
    return [(socket.IPPROTO_IPV6, _IPV6_PKTINFO, local + bytes(4))]


def pack_name(family: int, ip: bytes, port: int) -> bytes:
    """struct sockaddr_in or sockaddr_in6 (``NAME_BYTES``, padded) for a socket of ``family``.

    ``ip`` is 4 or 16 bytes; IPv4 on an IPv6 socket becomes ::ffff:a.b.c.d.
    """
    head = family.to_bytes(2, "little") + port.to_bytes(2, "big")
    if family == socket.AF_INET:
        if len(ip) != 4:
            raise ValueError("an IPv4 socket cannot reach an IPv6 address")
        return (head + ip).ljust(NAME_BYTES, b"\0")
    mapped = ip if len(ip) == 16 else V4_MAPPED + ip
    return (head + b"\0" * 4 + mapped).ljust(NAME_BYTES, b"\0")


def unpack_name(name: bytes) -> tuple[bytes, int]:
    """(ip of 4 or 16 bytes, port) of a struct sockaddr; mapped IPv4 comes back as 4 bytes."""
    port = int.from_bytes(name[2:4], "big")
    if int.from_bytes(name[:2], "little") == socket.AF_INET:
        return name[4:8], port
    ip = name[8:24]
    return (ip[12:], port) if ip.startswith(V4_MAPPED) else (ip, port)
