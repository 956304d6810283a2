"""Arbitrary VoiceRooms: the reader raises one error only, and judges as the CRD does."""

import json
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from fakes.crds import load
from fakes.documents import ANY, Cel, Judge, specs
from voiceroom_api.duration import parse_duration
from voiceroom_api.problems import InvalidDocument, Problem
from voiceroom_api.voiceroom import load_documents, read_room

CRD = load("voicerooms")
CEL: Cel = {
    "self.minMs <= self.maxMs": lambda s: bool(s["minMs"] <= s["maxMs"]),
    "duration(self) >= duration('1m') && duration(self) <= duration('24h')": (
        lambda s: 60 <= parse_duration(s) <= 86_400
    ),
}
JUDGE = Judge(CRD, CEL)
NAMES = ["a", "0", "a-b", "x" * 63]
SAMPLES = {"tokenTtl": ["1h", "1m", "24h0m0s"], "poolName": NAMES, "name": NAMES, "key": ["a.B_"]}
SPECS = specs(CRD.part("spec"), SAMPLES)


def judged(spec: Any) -> list[Problem]:
    problems: list[Problem] = []
    document = {
        "apiVersion": "voiceroom.dev/v1alpha1",
        "kind": "VoiceRoom",
        "metadata": {"name": "lobby"},
        "spec": spec,
    }
    room = read_room(document, problems)
    assert (room is None) == bool(problems)
    return problems


@given(SPECS)
def test_crd_and_reader_agree(spec: Any) -> None:
    errors, problems = JUDGE.errors(spec), judged(spec)
    assert bool(errors) == bool(problems), (errors, problems)


@given(ANY)
def test_problems_are_single_lines_of_bounded_length(spec: Any) -> None:
    for path, message in judged(spec):
        assert len(path) < 300
        assert len(message) < 400


@given(ANY | SPECS)
def test_any_value_in_yaml_is_read_or_refused(value: Any) -> None:
    for text in (json.dumps(value), yaml.safe_dump(value)):
        only_invalid_document(text)


@given(st.text(alphabet=st.sampled_from("ab01:-?!&*<>{}[],#|'\"%@` \n\t.~"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    only_invalid_document(text)


@given(st.text(max_size=200))
def test_any_characters_are_read_or_refused(text: str) -> None:
    only_invalid_document(text)


def only_invalid_document(text: str) -> None:
    with suppress(InvalidDocument):
        assert load_documents(text, "room.yaml")
