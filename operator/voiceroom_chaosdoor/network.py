"""Network namespaces of other processes, and rtnetlink in them."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from voiceroom_chaosdoor import rtnetlink
from voiceroom_chaosdoor.rtnetlink import Interface, Message, Shape
from voiceroom_chaosdoor.shaping import Unsupported

_CLONE_NEWNET: Final = 0x4000_0000
_ROUTE: Final = 0
_TIMEOUT_S: Final = 5.0
_BLOCK: Final = 65_536
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Networks:
    """By the processes that are in them; takes the node's process namespace, SYS_ADMIN to enter,
    NET_ADMIN to change, and SYS_PTRACE to look at processes of other users."""

    def __init__(self, proc: Path = Path("/proc"), node_pid: int = 1) -> None:
        """``node_pid``: a process in the node's own network."""
        self._proc, self._node_pid = proc, node_pid

    def of(self, pid: int) -> NetlinkLinks | None:
        """See ``Namespaces``."""
        try:
            namespace = os.open(self._file(pid), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, ProcessLookupError):
            return None
        try:
            if self._is_nodes_own(namespace):
                return None
            return NetlinkLinks(socket_in(namespace))
        finally:
            os.close(namespace)

    def _is_nodes_own(self, namespace: int) -> bool:
        """False also where the node's first process may not be looked at, as an AppArmor profile of
        containers has it: pods in the node's network are refused by their spec before that."""
        try:
            return os.path.samestat(os.fstat(namespace), os.stat(self._file(self._node_pid)))
        except PermissionError:
            return False

    def _file(self, pid: int) -> Path:
        return self._proc / str(pid) / "ns" / "net"


def socket_in(namespace: int) -> socket.socket:
    """A netlink socket of the network namespace that the descriptor is of. It is made in a thread
    that ends with it: a socket stays where it was made, and no other thread moves.

    Raises: OSError
    """
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        try:
            if _LIBC.setns(namespace, _CLONE_NEWNET):
                number = ctypes.get_errno()
                raise OSError(number, f"setns: {os.strerror(number)}")
            made.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=enter, name="setns")
    thread.start()
    thread.join()
    (found,) = made
    if isinstance(found, OSError):
        raise found
    return found


class NetlinkLinks:
    """See ``Links``; the kernel's."""

    def __init__(self, channel: socket.socket) -> None:
        channel.settimeout(_TIMEOUT_S)
        self._channel = channel
        self._sequence = 0

    def __enter__(self) -> NetlinkLinks:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def interfaces(self) -> list[Interface]:
        """See ``Links``."""
        answers = self._ask(rtnetlink.get_links(self._next()))
        return [rtnetlink.interface(one) for one in answers if one.kind == rtnetlink.NEWLINK]

    def roots(self) -> dict[int, int]:
        """See ``Links``."""
        answers = self._ask(rtnetlink.get_qdiscs(self._next()))
        queues = (rtnetlink.root_qdisc(one) for one in answers if one.kind == rtnetlink.NEWQDISC)
        return dict(found for found in queues if found is not None)

    def add(self, index: int, shape: Shape) -> None:
        """See ``Links``."""
        try:
            self._do(rtnetlink.add_netem(self._next(), index, shape))
        except FileNotFoundError as error:
            raise Unsupported(errno.ENOENT, "the kernel has no netem") from error

    def remove(self, index: int) -> None:
        """See ``Links``."""
        self._do(rtnetlink.delete_root(self._next(), index))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _do(self, request: bytes) -> None:
        for _ in self._ask(request):
            pass

    def _ask(self, request: bytes) -> Iterator[Message]:
        """Until the last answer. Raises ``OSError`` with what the kernel says."""
        self._channel.send(request)
        while True:
            for message in rtnetlink.messages(self._channel.recv(_BLOCK)):
                if message.kind == rtnetlink.ERROR and message.errno:
                    raise OSError(message.errno, f"netlink: {os.strerror(message.errno)}")
                if message.kind in (rtnetlink.ERROR, rtnetlink.DONE):
                    return
                yield message
