"""CPU budgets from made-up cgroup trees of both versions."""

from __future__ import annotations

from pathlib import Path

from voiceroom_mixer.edge.cgroup import CpuBudget, read_budget


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


V2 = {
    "proc/self/cgroup": "0::/kubepods/pod1/c1\n",
    "proc/self/mountinfo": (
        "30 20 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        "22 20 0:5 / /proc rw - proc proc rw\n"
    ),
    "sys/fs/cgroup/kubepods/pod1/c1/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/kubepods/pod1/c1/cpuset.cpus.effective": "2-3\n",
    "sys/fs/cgroup/kubepods/pod1/c1/cpu.stat": (
        "usage_usec 5\nnr_periods 40\nnr_throttled 3\nthrottled_usec 1234\n"
    ),
}


def test_version_2(tmp_path: Path) -> None:
    plant(tmp_path, V2)
    budget = read_budget(tmp_path)
    assert budget == CpuBudget(2, "2-3", 150_000, 100_000, 40, 3, 1_234_000)
    assert budget.quota_cpus == 1.5


def test_version_2_without_a_quota(tmp_path: Path) -> None:
    plant(tmp_path, V2 | {"sys/fs/cgroup/kubepods/pod1/c1/cpu.max": "max 100000\n"})
    assert read_budget(tmp_path).quota_us is None
    assert read_budget(tmp_path).quota_cpus is None


def test_version_1_mounted_with_the_container_as_root(tmp_path: Path) -> None:
    mount = "rw - cgroup cgroup rw"
    plant(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpuset:/pods/c1\n4:cpu,cpuacct:/pods/c1\n0::/\n",
            "proc/self/mountinfo": (
                f"31 23 0:28 /pods/c1 /sys/fs/cgroup/cpu,cpuacct {mount},cpu,cpuacct\n"
                f"32 23 0:29 /pods/c1 /sys/fs/cgroup/cpuset {mount},cpuset\n"
            ),
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.rt_runtime_us": "0\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.stat": (
                "nr_periods 7\nnr_throttled 2\nthrottled_time 99\n"
            ),
            "sys/fs/cgroup/cpuset/cpuset.cpus": "0-1\n",
        },
    )
    budget = read_budget(tmp_path)
    assert (budget.version, budget.cpuset) == (1, "0-1")
    assert (budget.quota_us, budget.period_us) == (None, 100_000)
    assert (budget.periods, budget.throttled_periods, budget.throttled_ns) == (7, 2, 99)
    assert budget.rt_runtime_us == 0


def test_nothing_told(tmp_path: Path) -> None:
    assert read_budget(tmp_path) == CpuBudget()


def test_nonsense_is_nothing_told(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "proc/self/cgroup": "nonsense\n\n0\n",
            "proc/self/mountinfo": "too short\n - \n30 20 0:26 / /x - cgroup2 cgroup2 rw\n",
        },
    )
    assert read_budget(tmp_path) == CpuBudget()


def test_this_machine_has_an_answer() -> None:
    budget = read_budget()
    assert budget.periods >= budget.throttled_periods >= 0
