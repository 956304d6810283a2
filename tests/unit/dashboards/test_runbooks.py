"""Each alert has its page, each page its alert, and what a page says to do can be done."""

from __future__ import annotations

import re

import pytest

from harness import kubelines, pages
from harness.series import DECLARED, exposed, selectors, used
from voiceroom_dashboards.boards import document as boards
from voiceroom_dashboards.rules import document
from voiceroom_dashboards.rules.model import NARROWED, Alert, Record

FOLDER = pages.DOCS / "runbooks"
ALERTS = list(document.alerts())
RECORDS = {
    rule.name for group in document.GROUPS for rule in group.rules if isinstance(rule, Record)
}
OTHERS = {"up"}
"""Series of Prometheus itself."""

each = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def page(alert: Alert) -> str:
    return (FOLDER / f"{alert.name}.md").read_text(encoding="utf-8")


def by_hand(alert: Alert) -> str:
    """Without the head, which is made from the rules."""
    return page(alert).partition(document.END)[2]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    there = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    assert there == {alert.name for alert in ALERTS}


@each
def test_a_page_answers_all_that_is_asked_at_night(alert: Alert) -> None:
    found = pages.sections(by_hand(alert))
    assert tuple(found) == document.SECTIONS
    assert all(len(text.split()) >= 3 for text in found.values())
    assert "| --- |" in found["Decide"]


@each
def test_first_looks_change_nothing_and_ask_cluster_and_prometheus(alert: Alert) -> None:
    first = pages.sections(by_hand(alert))["Check this first"]
    lines = list(pages.commands(first))
    assert lines
    assert [line for line in lines if not kubelines.looks_only(line)] == []
    assert pages.blocks(first, "promql")


@each
def test_commands_name_what_there_is(alert: Alert) -> None:
    assert [kubelines.wrong(line) for line in pages.commands(page(alert))] == [""] * len(
        list(pages.commands(page(alert)))
    )


@pytest.mark.parametrize(
    "line",
    [
        "kubectl voiceroom diagnose --pod POD",
        "kubectl voiceroom move",
        'kubectl patch mxp POOL -p \'{"spec":{"capacity":{"room":5}}}\'',
        "kubectl get vr ROOM -o jsonpath='{.status.move}'",
        "kubectl put vr ROOM",
        "helm upgrade voiceroom charts/voiceroom --set podMonitor.enable=true",
    ],
)
def test_a_command_that_is_not_would_be_found(line: str) -> None:
    (words,) = pages.commands(f"```sh\n{line}\n```\n")
    assert kubelines.wrong(words)


@each
def test_queries_read_only_what_is_exposed(alert: Alert) -> None:
    for query in pages.blocks(by_hand(alert), "promql"):
        assert used(query) or query.startswith("ALERTS{")
        assert used(query) <= exposed() | RECORDS | OTHERS, query
        for name, label, wanted in selectors(query):
            metric = DECLARED.get(re.sub(r"_(?:bucket|sum|count)$", "", name))
            known = metric.values.get(label, ()) if metric else ()
            assert not known or set(wanted.split("|")) <= set(known), query


@each
def test_no_link_leads_nowhere(alert: Alert) -> None:
    assert pages.broken(FOLDER / f"{alert.name}.md") == []


def test_the_index_leads_to_every_page() -> None:
    index = FOLDER / "README.md"
    assert {f"{alert.name}.md" for alert in ALERTS} <= set(pages.links(index.read_text()))
    assert pages.broken(index) == []


def test_a_page_without_marks_is_told() -> None:
    with pytest.raises(ValueError, match=r"VoiceroomTicksLate\.md: the marks"):
        document.runbook(ALERTS[0], "# VoiceroomTicksLate\n")


@each
def test_an_alert_leads_to_its_page_and_to_a_board_that_shows_it(alert: Alert) -> None:
    made = alert.to_dict()["annotations"]
    assert made["runbook_url"].endswith(f"/runbooks/{alert.name}")
    (board,) = (one for one in boards.BOARDS if one.uid == f"voiceroom-{alert.board}")
    path, _, asked = made["dashboard_url"].partition("?")
    assert path == f"/d/{board.uid}"
    chosen = set(re.findall(r"var-(\w+)=\{\{ \$labels\.(\w+) \}\}", asked))
    assert {name for name, _ in chosen} <= {variable.name for variable in board.variables}
    assert all(name == label for name, label in chosen)


def test_boards_are_narrowed_by_what_they_can_be_narrowed_to() -> None:
    for board in boards.BOARDS:
        there = {variable.name for variable in board.variables}
        assert set(NARROWED[board.name]) <= there
