"""The annotation by which a person asks for a move."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voiceroom_api import names
from voiceroom_operator.binding.request import Answer, Request
from voiceroom_operator.reading.requests import answer_of, request_of
from voiceroom_operator.reading.wishes import UNREADABLE


def asked(text: Any) -> Request | None:
    return request_of({"metadata": {"annotations": {names.MOVE_ANNOTATION: text}}})


def test_nobody_asks() -> None:
    assert request_of({"metadata": {}}) is None
    assert request_of({"metadata": {"annotations": {"other": "x"}}}) is None


def test_all_of_it() -> None:
    found = asked('{"id": "7f", "to": "node-1.example", "why": "the fan is loud"}')
    assert found == Request("7f", "node-1.example", "the fan is loud")
    assert asked('{"id": "7f", "why": "x"}') == Request("7f", "", "x")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"id": "a", "to": "", "why": "x"}, "name of a node"),
        ({"id": "a", "to": "Node 1", "why": "x"}, "name of a node"),
        ({"id": "a", "to": None, "why": "x"}, "name of a node"),
        ({"id": "a"}, "why must be"),
        ({"id": "a", "why": ""}, "why must be"),
        ({"id": "a", "why": "x" * 257}, "why must be"),
        ({"id": "a", "why": "x", "node": "n"}, "no field node"),
    ],
)
def test_what_is_wrong_is_told_under_its_id(said: dict[str, Any], words: str) -> None:
    found = asked(json.dumps(said))
    assert found is not None
    assert found.id == "a"
    assert words in found.problem


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"why": "x"}', '{"id": 7}', '{"id": ""}', '{"id": "a b"}', 7, "[" * 9999],
)
def test_without_an_id_it_is_unreadable(text: Any) -> None:
    found = asked(text)
    assert found is not None
    assert (found.id, bool(found.problem)) == (UNREADABLE, True)


def test_answers_are_read_back() -> None:
    answer = Answer("a", "Waiting", "", "no pod", 1_800_000_000.0)
    written = {"moves": {"request": answer.to_dict("2027-01-15T08:00:00Z")}}
    assert answer_of(written) == answer
    assert answer_of({}) is None
    assert answer_of({"moves": {"request": {"id": "a", "state": "Odd"}}}) is None
    assert answer_of({"moves": {"request": 7}}) is None
