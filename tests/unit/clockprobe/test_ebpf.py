"""The assembler and BTF by hand-made input; the programs on the real kernel that allows it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from voiceroom_mixer.clockprobe.ebpf import btf
from voiceroom_mixer.clockprobe.ebpf.assemble import Helper, Program, Reg
from voiceroom_mixer.clockprobe.ebpf.btf import Btf, BtfError
from voiceroom_mixer.clockprobe.ebpf.kernel import BpfError
from voiceroom_mixer.clockprobe.ebpf.runqueue import EbpfSource, switch_program, wakeup_program
from voiceroom_mixer.core.state.probepage import EDGES_US

INT, PTR, STRUCT, UNION, TYPEDEF, FUNC_PROTO = 1, 2, 4, 5, 8, 13
WAKES = 50
SLEEPER = f"""
import sys
sys.stdin.readline()
for _ in range({WAKES}):
    sys.stdout.write("awake\\n")
    sys.stdout.flush()
    sys.stdin.readline()
sys.stdin.readline()
"""


class Names:
    """BTF's strings."""

    def __init__(self) -> None:
        self.text = b"\0"

    def at(self, name: str) -> int:
        self.text += name.encode() + b"\0"
        return len(self.text) - len(name) - 1


def kind(name_at: int, kind_: int, members: int, rest: int, *, bits: bool = False) -> bytes:
    return struct.pack("<III", name_at, bits << 31 | kind_ << 24 | members, rest)


def description(*, arguments: int = 4) -> bytes:
    """A small kernel: ``task_struct`` {state; {spare; pid}}, and a tracepoint."""
    names = Names()
    pid, state = names.at("pid"), names.at("__state")
    task, point = names.at("task_struct"), names.at("btf_trace_sched_switch")
    types = [
        kind(names.at("int"), INT, 0, 4) + struct.pack("<I", 32),
        kind(0, UNION, 1, 8) + struct.pack("<III", pid, 1, 4 * 8),
        kind(task, STRUCT, 2, 96, bits=True)
        + struct.pack("<III", state, 1, 3 << 24 | 5)
        + struct.pack("<III", 0, 2, 64 * 8),
        kind(0, FUNC_PROTO, arguments + 1, 0) + struct.pack("<II", 0, 1) * (arguments + 1),
        kind(0, PTR, 0, 4),
        kind(point, TYPEDEF, 0, 5),
    ]
    body = b"".join(types)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names.text))
    return head + body + names.text


def test_fields_are_found_also_in_nameless_parts() -> None:
    assert Btf(description()).field_offset("task_struct", "pid") == 68


def test_what_is_not_there_or_no_whole_bytes_is_an_error() -> None:
    made = Btf(description())
    for structure, field in (("task", "pid"), ("task_struct", "tgid"), ("task_struct", "__state")):
        with pytest.raises(BtfError):
            made.field_offset(structure, field)


@pytest.mark.parametrize("arguments", [3, 4])
def test_a_tracepoints_arguments_are_counted(arguments: int) -> None:
    made = Btf(description(arguments=arguments))
    assert made.tracepoint_arguments("sched_switch") == arguments


@pytest.mark.parametrize("raw", [b"", b"\x9f\xeb", b"\0" * 24, description()[:60] + b"\0\0\0"])
def test_a_description_that_is_none_is_an_error(raw: bytes) -> None:
    with pytest.raises(BtfError):
        Btf(raw).field_offset("task_struct", "pid")


def test_jumps_count_from_the_next_instruction() -> None:
    program = Program()
    program.jump_if_zero(Reg.R0, "out")
    program.call(Helper.KTIME_GET_NS)
    program.label("out")
    program.leave()
    assert program.encode() == bytes.fromhex(
        "1500010000000000 8500000005000000 9500000000000000".replace(" ", "")
    )


def test_a_label_that_is_nowhere_is_a_mistake() -> None:
    program = Program()
    program.jump_if_zero(Reg.R0, "nowhere")
    with pytest.raises(KeyError):
        program.encode()


def test_the_programs_are_small_and_end() -> None:
    for code in (wakeup_program(64, 3), switch_program(64, 3)):
        assert len(code) % 8 == 0
        assert len(code) // 8 < 100
        assert code[-8:] == bytes([0x95]) + bytes(7)


@pytest.fixture
def source() -> Iterator[EbpfSource]:
    try:
        opened = EbpfSource()
    except (BpfError, BtfError) as error:
        pytest.skip(f"not here: {error}")
    yield opened
    opened.close()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SLEEPER], text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def wake(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "awake\n"


def test_every_wait_of_a_followed_thread_is_counted_and_of_no_other(
    source: EbpfSource, sleeper: subprocess.Popen[str]
) -> None:
    wake(sleeper)
    heard(sleeper)  # it has come through its imports
    source.follow([sleeper.pid])
    for _ in range(WAKES - 1):
        wake(sleeper)
        heard(sleeper)
    waits = source.read()
    assert set(waits) == {sleeper.pid}
    seen = waits[sleeper.pid]
    # more when it was preempted, or woken before it had lain down
    assert sum(seen.buckets) >= (WAKES - 1) * 0.8
    assert seen.sum_ns > 0
    assert seen.long == sum(seen.buckets[EDGES_US.index(500) + 1 :])
    source.follow([os.getpid()])
    assert set(source.read()) == {os.getpid()}


def test_a_thread_that_ends_keeps_what_it_had(
    source: EbpfSource, sleeper: subprocess.Popen[str]
) -> None:
    source.follow([sleeper.pid])
    wake(sleeper)
    heard(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert sum(source.read()[sleeper.pid].buckets) >= 1


def test_this_kernels_own_description_is_read() -> None:
    try:
        made = btf.read()
    except BtfError as error:
        pytest.skip(str(error))
    assert made.field_offset("task_struct", "pid") > 0
    assert made.tracepoint_arguments("sched_wakeup") == 1
