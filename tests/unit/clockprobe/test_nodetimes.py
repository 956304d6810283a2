"""What a node's files say of interrupts, steal and pressure."""

from pathlib import Path

from voiceroom_mixer.clockprobe.exposition import render
from voiceroom_mixer.clockprobe.nodetimes import node_times

STAT = """\
cpu  40 0 60 1000 0 30 70 11 0 0
cpu0 20 0 30 500 0 10 20 1 0 0
cpu11 20 0 30 500 0 20 50 1000 0 0
intr 12 0 0

cpufreq
"""
PRESSURE = """\
some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""


def text(root: Path) -> list[str]:
    rendered = render(node_times(root), openmetrics=True)
    return [line for line in rendered.splitlines() if not line.startswith("#")]


def test_each_cpu_and_each_resource_has_its_series(tmp_path: Path) -> None:
    (tmp_path / "proc/pressure").mkdir(parents=True)
    (tmp_path / "proc/stat").write_text(STAT)
    for resource in ("cpu", "io"):
        (tmp_path / "proc/pressure" / resource).write_text(PRESSURE)
    lines = text(tmp_path)
    assert 'voiceroom_node_cpu_seconds_total{cpu="11",mode="softirq"} 0.5' in lines
    assert 'voiceroom_node_cpu_seconds_total{cpu="11",mode="steal"} 10.0' in lines
    assert 'voiceroom_node_cpu_seconds_total{cpu="0",mode="irq"} 0.1' in lines
    assert 'voiceroom_node_pressure_seconds_total{resource="io"} 2.5' in lines
    assert len(lines) == 2 * 3 + 2


def test_a_kernel_that_does_not_tell_has_no_series(tmp_path: Path) -> None:
    assert text(tmp_path) == []
