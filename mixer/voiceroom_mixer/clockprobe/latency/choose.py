"""Where scheduling latency is read on this node."""

from __future__ import annotations

from typing import Literal

from voiceroom_mixer.clockprobe.ebpf.btf import BtfError
from voiceroom_mixer.clockprobe.ebpf.kernel import BpfError
from voiceroom_mixer.clockprobe.ebpf.runqueue import EbpfSource
from voiceroom_mixer.clockprobe.latency.schedstat import SchedstatSource
from voiceroom_mixer.clockprobe.latency.waits import Source

Wanted = Literal["none", "auto", "ebpf", "schedstat"]


def source(wanted: Wanted) -> tuple[Source, str]:
    """(the source, why it is not eBPF). With ``ebpf`` it is that or nothing.

    Raises ``BtfError`` or ``BpfError`` for ``ebpf`` where the kernel does not allow it.
    """
    if wanted == "schedstat":
        return SchedstatSource(), "asked for"
    try:
        return EbpfSource(), ""
    except (BtfError, BpfError) as error:
        if wanted == "ebpf":
            raise
        return SchedstatSource(), words(error)


def words(error: Exception) -> str:
    """What was refused, and what would help."""
    return str(error.strerror if isinstance(error, OSError) else error)
