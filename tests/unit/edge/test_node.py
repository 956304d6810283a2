"""Facts of a node from made-up /proc and /sys trees."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from voiceroom_mixer.edge.node import read_facts


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


FULL = {
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm \n",
    "sys/devices/system/cpu/nohz_full": "2-3\n",
    "sys/devices/system/cpu/isolated": "3\n",
    "sys/class/dmi/id/sys_vendor": "QEMU\n",
    "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc hypervisor\n",
    "proc/cmdline": "quiet tsc=reliable isolcpus=3\n",
    "proc/sys/kernel/timer_migration": "1\n",
    "proc/sys/kernel/osrelease": "6.1.0-test\n",
    "boot/config-6.1.0-test": "# CONFIG_HZ_100 is not set\nCONFIG_HZ_250=y\nCONFIG_HZ=250\n",
}


def test_all_facts_are_read(tmp_path: Path) -> None:
    plant(tmp_path, FULL)
    facts = read_facts(tmp_path, read_ns=40)
    assert facts.clocksource == "tsc"
    assert facts.available == ("tsc", "hpet", "acpi_pm")
    assert facts.tsc_flags == {"constant_tsc", "nonstop_tsc"}
    assert facts.tsc_reliable
    assert facts.hz == 250
    assert (facts.nohz_full, facts.isolated_cpus) == ("2-3", "3")
    assert facts.timer_migration is True
    assert facts.hypervisor == "QEMU"
    assert facts.read_ns == 40


@pytest.mark.parametrize("missing", sorted(FULL))
def test_any_file_may_be_missing(tmp_path: Path, missing: str) -> None:
    plant(tmp_path, {name: text for name, text in FULL.items() if name != missing})
    read_facts(tmp_path)


def test_a_node_that_tells_nothing(tmp_path: Path) -> None:
    facts = read_facts(tmp_path)
    assert facts.clocksource is None
    assert facts.hz is None
    assert facts.timer_migration is None
    assert facts.hypervisor is None
    assert facts.tsc_flags == frozenset()


def test_the_running_kernels_own_configuration_comes_first(tmp_path: Path) -> None:
    plant(tmp_path, FULL)
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_HZ=1000\n"))
    assert read_facts(tmp_path).hz == 1000


def test_a_broken_configuration_is_no_fact(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/config.gz": "not gzip"})
    assert read_facts(tmp_path).hz is None


def test_an_empty_cpu_list_is_empty_in_either_spelling(tmp_path: Path) -> None:
    plant(tmp_path, FULL | {"sys/devices/system/cpu/nohz_full": "(null)\n"})
    assert read_facts(tmp_path).nohz_full == ""


def test_xen_names_itself(tmp_path: Path) -> None:
    plant(tmp_path, FULL | {"sys/hypervisor/type": "xen\n"})
    assert read_facts(tmp_path).hypervisor == "xen"
