"""Grades of nodes, by what they say of themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voiceroom_mixer.core.timing.grade import Grade, NodeFacts, grade

METAL = NodeFacts(
    arch="x86_64",
    clocksource="tsc",
    tsc_flags=frozenset({"constant_tsc", "nonstop_tsc"}),
    hz=1000,
    timer_migration=False,
    read_ns=30,
)


@pytest.mark.parametrize(
    ("facts", "expected", "reason"),
    [
        (METAL, "A", "constant_tsc and nonstop_tsc"),
        (replace(METAL, arch="aarch64", clocksource="arch_sys_counter"), "A", "invariant counter"),
        (replace(METAL, tsc_flags=frozenset({"constant_tsc"})), "B", "does not show nonstop_tsc"),
        (replace(METAL, clocksource="kvm-clock"), "B", "paravirtual"),
        (replace(METAL, clocksource="hyperv_clocksource_tsc_page"), "B", "paravirtual"),
        (replace(METAL, clocksource=None), "B", "not known"),
        (replace(METAL, clocksource="hpet"), "C", "hpet: every reading is a system call"),
        (replace(METAL, clocksource="xen"), "C", "every reading is a system call"),
        (replace(METAL, clocksource="acpi_pm"), "C", "every reading is a system call"),
        (replace(METAL, read_ns=1_400), "C", "1400 ns"),
    ],
)
def test_grades(facts: NodeFacts, expected: Grade, reason: str) -> None:
    given = grade(facts)
    assert given.grade == expected
    assert reason in given.reasons[0]


def test_a_good_node_has_nothing_noted() -> None:
    assert grade(METAL).notes == ()


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        (replace(METAL, tsc_reliable=True), "watchdog"),
        (replace(METAL, hypervisor="kvm"), "hypervisor kvm"),
        (replace(METAL, hz=100), "HZ=100"),
        (replace(METAL, nohz_full="2-3"), "nohz_full=2-3"),
        (replace(METAL, isolated_cpus="3"), "isolated CPUs 3"),
        (replace(METAL, timer_migration=True), "timer_migration=1"),
        (replace(METAL, timer_migration=None), "timer_migration is not readable"),
    ],
)
def test_what_bears_on_lateness_is_noted_without_changing_the_grade(
    facts: NodeFacts, note: str
) -> None:
    given = grade(facts)
    assert given.grade == "A"
    assert any(note in text for text in given.notes)


def test_a_slow_reading_keeps_the_reason_behind_it() -> None:
    given = grade(replace(METAL, clocksource="hpet", read_ns=2_000))
    assert len(given.reasons) == 2
    assert "hpet" in given.reasons[1]
