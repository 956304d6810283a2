"""bpf(2): maps, programs and raw tracepoints. What is opened here goes when it is closed."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final

_CALL: Final = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _MAP_LOOKUP, _MAP_UPDATE, _MAP_DELETE = range(4)
_PROG_LOAD: Final = 5
_RAW_TRACEPOINT_OPEN: Final = 17
_MAP_HASH: Final = 1
_PROG_RAW_TRACEPOINT: Final = 17
_ATTRIBUTE_BYTES: Final = 128
_LOG_BYTES: Final = 64 * 1024
_LICENSE: Final = b"GPL"
"""The kernel lends the helper that reads its memory to GPL programs only: the two programs of this
folder are under Apache-2.0 or GPL-2.0, as the taker likes."""
_syscall: Final = ctypes.CDLL(None, use_errno=True).syscall


class BpfError(OSError):
    """The kernel refused; the text says what would help."""


def _bpf(command: int, attribute: bytes, what: str) -> int:
    number = _CALL.get(platform.machine())
    if number is None:
        raise BpfError(errno.ENOSYS, f"{what}: bpf(2) of {platform.machine()} is not known here")
    buffer = ctypes.create_string_buffer(attribute, _ATTRIBUTE_BYTES)
    result = int(_syscall(number, command, buffer, _ATTRIBUTE_BYTES))
    if result < 0:
        code = ctypes.get_errno()
        raise BpfError(code, f"{what}: {_advice(code)}")
    return result


def _advice(code: int) -> str:
    if code in (errno.EPERM, errno.EACCES):
        return "not permitted: the capabilities BPF and PERFMON are missing, or seccomp forbids it"
    return os.strerror(code)


class HashMap:
    """Numbers of 32 bits to values of one size, shared with programs."""

    def __init__(self, value_bytes: int, entries: int) -> None:
        """Raises ``BpfError``."""
        attribute = struct.pack("=IIII", _MAP_HASH, 4, value_bytes, entries)
        self.fd = _bpf(_MAP_CREATE, attribute, "a map")
        self._value = ctypes.create_string_buffer(value_bytes)
        self._key = ctypes.c_uint32()

    def _attribute(self, key: int, *, value: bool = True) -> bytes:
        """What is not used has to be zero."""
        self._key.value = key
        addresses = (ctypes.addressof(self._key), ctypes.addressof(self._value) if value else 0)
        return struct.pack("=IxxxxQQQ", self.fd, *addresses, 0)

    def read(self, key: int) -> bytes | None:
        """None where there is none."""
        try:
            _bpf(_MAP_LOOKUP, self._attribute(key), "an entry")
        except BpfError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return self._value.raw

    def write(self, key: int, value: bytes) -> None:
        """Raises ``BpfError``, also when the map is full."""
        self._value.raw = value
        _bpf(_MAP_UPDATE, self._attribute(key), "an entry")

    def delete(self, key: int) -> None:
        """Whether it was there or not."""
        try:
            _bpf(_MAP_DELETE, self._attribute(key, value=False), "an entry")
        except BpfError as error:
            if error.errno != errno.ENOENT:
                raise

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)


def load(code: bytes) -> int:
    """A raw tracepoint's program; its descriptor. Raises ``BpfError`` with the verifier's words."""
    instructions = ctypes.create_string_buffer(code, len(code))
    license_text, log = (
        ctypes.create_string_buffer(_LICENSE),
        ctypes.create_string_buffer(_LOG_BYTES),
    )
    addresses = (ctypes.addressof(instructions), ctypes.addressof(license_text))
    head = struct.pack("=IIQQ", _PROG_RAW_TRACEPOINT, len(code) // 8, *addresses)
    attribute = head + struct.pack("=IIQ", 1, _LOG_BYTES, ctypes.addressof(log))
    try:
        return _bpf(_PROG_LOAD, attribute, "a program")
    except BpfError as error:
        said = log.value.decode("ascii", "replace").strip()[-500:]
        raise BpfError(error.errno, f"{error.strerror} {said}".strip()) from error


def attach(program: int, tracepoint: str) -> int:
    """Run ``program`` at it from now on, until the descriptor that this gives is closed."""
    name = ctypes.create_string_buffer(tracepoint.encode())
    attribute = struct.pack("=QI", ctypes.addressof(name), program)
    return _bpf(_RAW_TRACEPOINT_OPEN, attribute, f"the tracepoint {tracepoint}")
