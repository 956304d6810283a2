"""Where the kernel that runs keeps its fields: BTF, its own description of its types.

https://docs.kernel.org/bpf/btf.html
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VMLINUX: Final = Path("/sys/kernel/btf/vmlinux")
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")
_MEMBER: Final = struct.Struct("<III")
_MAGIC: Final = 0xEB9F
_STRUCT, _UNION, _TYPEDEF, _FUNC_PROTO, _PTR = 4, 5, 8, 13, 2
_TAIL: Final = {1: 4, 3: 12, 14: 4, 17: 4}
"""Bytes after a type, by its kind: INT, ARRAY, VAR, DECL_TAG."""
_TAIL_EACH: Final = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
"""For each member: STRUCT, UNION, ENUM, FUNC_PROTO, DATASEC, ENUM64."""


class BtfError(ValueError):
    """The description lacks what is asked for, or is none."""


class Btf:
    """A parsed description; types are known by their numbers, 1 and up."""

    def __init__(self, raw: bytes) -> None:
        """Raises ``BtfError``."""
        try:
            magic, _, _, head, type_at, type_size, names_at, names_size = _HEADER.unpack_from(raw)
            if magic != _MAGIC:
                raise BtfError("this is no BTF")
            self._raw = raw[head + type_at : head + type_at + type_size]
            self._names = raw[head + names_at : head + names_at + names_size]
            self._at = array("I", self._walk())
        except struct.error as error:
            raise BtfError(f"BTF ends in the middle: {error}") from error

    def _walk(self) -> Iterator[int]:
        at = 0
        while at < len(self._raw):
            yield at
            _, info, _ = _TYPE.unpack_from(self._raw, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            at += _TYPE.size + _TAIL.get(kind, 0) + _TAIL_EACH.get(kind, 0) * count

    def _type(self, number: int) -> tuple[int, int, int, int]:
        """(kind, members, has bit fields, size or type) of a type."""
        _, info, rest = _TYPE.unpack_from(self._raw, self._at[number - 1])
        return info >> 24 & 0x1F, info & 0xFFFF, info >> 31, rest

    def _named(self, name: str, wanted: int) -> int:
        name_at = self._name_at(name)
        for number, at in enumerate(self._at, 1):
            called = _TYPE.unpack_from(self._raw, at)[0]
            if called == name_at and self._type(number)[0] == wanted:
                return number
        raise BtfError(f"the kernel's BTF has no {name}")

    def _name_at(self, name: str) -> int:
        found = self._names.find(b"\0" + name.encode() + b"\0")
        if found < 0:
            raise BtfError(f"the kernel's BTF has no {name}")
        return found + 1

    def field_offset(self, structure: str, name: str) -> int:
        """In bytes; also of a field in a nameless part. Raises ``BtfError``."""
        offset = self._field(self._named(structure, _STRUCT), self._name_at(name))
        if offset is None or offset % 8:
            raise BtfError(f"struct {structure} has no plain field {name}")
        return offset // 8

    def _field(self, number: int, name_at: int) -> int | None:
        kind, count, has_bits, _ = self._type(number)
        if kind not in (_STRUCT, _UNION):
            return None
        first = self._at[number - 1] + _TYPE.size
        for n in range(count):
            called, inner, packed = _MEMBER.unpack_from(self._raw, first + n * _MEMBER.size)
            offset = int(packed) & (0xFF_FFFF if has_bits else 0xFFFF_FFFF)
            if called == name_at:
                return offset
            if not called and (deeper := self._field(inner, name_at)) is not None:
                return offset + deeper
        return None

    def tracepoint_arguments(self, name: str) -> int:
        """How many a raw tracepoint has. Raises ``BtfError``."""
        _, _, _, pointer = self._type(self._named(f"btf_trace_{name}", _TYPEDEF))
        kind, _, _, function = self._type(pointer)
        if kind != _PTR or self._type(function)[0] != _FUNC_PROTO:
            raise BtfError(f"the kernel's BTF does not tell the arguments of {name}")
        return self._type(function)[1] - 1  # the first is the tracepoint's own data


def read(path: Path = VMLINUX) -> Btf:
    """Of the kernel that runs. Raises ``BtfError``."""
    try:
        return Btf(path.read_bytes())
    except OSError as error:
        raise BtfError(f"{path}: {error.strerror}; it takes CONFIG_DEBUG_INFO_BTF") from error
