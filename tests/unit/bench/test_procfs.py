"""What is read out of /proc."""

from __future__ import annotations

import os

from bench import procfs


def test_a_name_with_spaces_and_brackets_is_no_field() -> None:
    tick = os.sysconf("SC_CLK_TCK")
    fields = " ".join(["S", "1", "1", "1", "0", "-1", "0", "0", "0", "0", "0", "30", "12", "9"])
    assert procfs.parse_stat_s(f"77 (a) b (c) {fields} 9 20 0") == 42 / tick


def test_steal_and_idle_are_shares_of_what_passed() -> None:
    before = procfs.parse_machine("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1")
    after = procfs.parse_machine("cpu  110 0 110 750 110 0 0 20 5 0\ncpu0 1")
    passed = after.since(before)
    assert passed.total == 100
    assert passed.stolen_share == 0.2
    assert passed.idle_share == 0.6


def test_shared_memory_is_told_apart() -> None:
    text = "55 [rollup]\nRss:     2000 kB\nPss:     1500 kB\nPss_Anon: 1 kB\n"
    assert procfs.parse_rollup(text) == procfs.Memory(rss=2000, pss=1500)


def test_this_process_is_alive_and_in_its_own_tree() -> None:
    assert procfs.alive(os.getpid())
    assert procfs.tree(os.getpid())[0] == os.getpid()
    assert procfs.cpu_s([os.getpid()]) > 0
    assert procfs.memory([os.getpid()]).rss > 1000


def test_a_process_that_has_gone_is_not_alive() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert not procfs.alive(pid)
