"""What the own cgroup has used, and may use, from made-up trees of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceroom_mixer.edge.spending import SpendingReader, Spent

V1, V2 = "sys/fs/cgroup/cpu", "sys/fs/cgroup/pod/c1"
MOUNT = "rw - cgroup cgroup rw"


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def version_1(accounting: str) -> dict[str, str]:
    """``cpuacct`` is mounted with ``cpu``, or at another place."""
    return {
        "proc/self/cgroup": "4:cpu:/pod/c1\n5:cpuacct:/pod/c1\n",
        "proc/self/mountinfo": (
            f"31 23 0:28 /pod/c1 /{V1} {MOUNT},cpu\n"
            f"32 23 0:29 /pod/c1 /{accounting} {MOUNT},cpuacct\n"
        ),
        f"{V1}/cpu.cfs_quota_us": "50000\n",
        f"{V1}/cpu.cfs_period_us": "100000\n",
        f"{accounting}/cpuacct.usage": "123456789\n",
    }


VERSION_2 = {
    "proc/self/cgroup": "0::/pod/c1\n",
    "proc/self/mountinfo": "30 20 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n",
    f"{V2}/cpu.max": "50000 100000\n",
    f"{V2}/cpu.stat": "core_usage_usec 7\nusage_usec 123456\nuser_usec 5\n",
}


@pytest.mark.parametrize("accounting", [V1, "sys/fs/cgroup/cpuacct"])
def test_version_1(tmp_path: Path, accounting: str) -> None:
    plant(tmp_path, version_1(accounting))
    assert SpendingReader(tmp_path).read() == Spent(123_456_789, 50_000_000, 100_000_000)


def test_version_2(tmp_path: Path) -> None:
    plant(tmp_path, VERSION_2)
    assert SpendingReader(tmp_path).read() == Spent(123_456_000, 50_000_000, 100_000_000)


@pytest.mark.parametrize(
    "files",
    [
        version_1(V1) | {f"{V1}/cpu.cfs_quota_us": "-1\n"},
        VERSION_2 | {f"{V2}/cpu.max": "max 100000\n"},
        VERSION_2 | {f"{V2}/cpu.max": "nonsense\n"},
    ],
)
def test_without_a_quota_it_is_told_what_was_used(tmp_path: Path, files: dict[str, str]) -> None:
    plant(tmp_path, files)
    found = SpendingReader(tmp_path).read()
    assert found.used_ns > 0
    assert (found.quota_ns, found.period_ns) == (0, 0)


def test_without_cgroups_nothing_is_told(tmp_path: Path) -> None:
    assert SpendingReader(tmp_path).read() == Spent()


def test_a_quota_that_is_set_meanwhile_is_seen(tmp_path: Path) -> None:
    plant(tmp_path, VERSION_2)
    reader = SpendingReader(tmp_path)
    reader.read()
    plant(tmp_path, {f"{V2}/cpu.max": "60000 100000\n"})
    assert reader.read().quota_ns == 60_000_000
    reader.close()
    assert reader.read() == Spent()
