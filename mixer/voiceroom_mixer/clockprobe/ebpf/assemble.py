"""eBPF instructions (RFC 9669) with labels for jumps."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

_INSTRUCTION: Final = struct.Struct("<BBhi")
_PSEUDO_MAP_FD: Final = 1


class Reg(IntEnum):
    """r0 returns, r1 to r5 pass arguments and are lost in calls, r6 to r9 are kept, r10 is the
    frame."""

    R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FRAME = range(11)


class Helper(IntEnum):
    """Of bpf-helpers(7)."""

    MAP_LOOKUP = 1
    KTIME_GET_NS = 5
    PROBE_READ_KERNEL = 113


@dataclass(slots=True)
class Program:
    """Instructions in their order; each method adds one (``load_map`` two)."""

    code: list[tuple[int, int, int, int | str, int]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def _add(self, op: int, to: int, of: int = 0, off: int | str = 0, imm: int = 0) -> None:
        self.code.append((op, to, of, off, imm))

    def label(self, name: str) -> None:
        """The next instruction is called so."""
        assert name not in self.labels, name
        self.labels[name] = len(self.code)

    def put(self, to: Reg, value: int) -> None:
        """``to`` = a number of 32 bits."""
        self._add(0xB7, to, imm=value)

    def copy(self, to: Reg, of: Reg) -> None:
        """``to`` = ``of``."""
        self._add(0xBF, to, of)

    def copy_low(self, to: Reg, of: Reg) -> None:
        """``to`` = the lower 32 bits of ``of``."""
        self._add(0xBC, to, of)

    def add(self, to: Reg, value: int) -> None:
        """``to`` += a number."""
        self._add(0x07, to, imm=value)

    def plus(self, to: Reg, of: Reg) -> None:
        """``to`` += ``of``."""
        self._add(0x0F, to, of)

    def minus(self, to: Reg, of: Reg) -> None:
        """``to`` -= ``of``."""
        self._add(0x1F, to, of)

    def load(self, to: Reg, at: Reg, off: int) -> None:
        """``to`` = the 64 bits at ``at`` + ``off``."""
        self._add(0x79, to, at, off)

    def store(self, at: Reg, off: int, of: Reg) -> None:
        """The 64 bits at ``at`` + ``off`` = ``of``."""
        self._add(0x7B, at, of, off)

    def load_map(self, to: Reg, fd: int) -> None:
        """``to`` = the map whose descriptor is ``fd``."""
        self._add(0x18, to, _PSEUDO_MAP_FD, imm=fd)
        self._add(0, 0)

    def call(self, helper: Helper) -> None:
        """r0 = helper(r1, ...)."""
        self._add(0x85, 0, imm=helper)

    def jump_if_zero(self, of: Reg, label: str) -> None:
        """Go to ``label`` where ``of`` == 0."""
        self._add(0x15, of, off=label)

    def jump_unless_zero(self, of: Reg, label: str) -> None:
        """Go to ``label`` where ``of`` != 0."""
        self._add(0x55, of, off=label)

    def jump_up_to(self, of: Reg, value: int, label: str) -> None:
        """Go to ``label`` where ``of`` <= ``value``, unsigned."""
        self._add(0xB5, of, off=label, imm=value)

    def jump_negative(self, of: Reg, label: str) -> None:
        """Go to ``label`` where ``of`` < 0."""
        self._add(0xC5, of, off=label)

    def leave(self) -> None:
        """Return r0."""
        self._add(0x95, 0)

    def encode(self) -> bytes:
        """For the kernel. Raises ``KeyError`` for a label that is nowhere."""
        return b"".join(
            _INSTRUCTION.pack(op, to | of << 4, self._offset(at, off), imm)
            for at, (op, to, of, off, imm) in enumerate(self.code)
        )

    def _offset(self, at: int, off: int | str) -> int:
        return self.labels[off] - at - 1 if isinstance(off, str) else off
