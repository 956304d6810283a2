from typing import Any

import pytest

from voiceroom_api.yamltext import MAX_CHARS, YamlError, load_all


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20),
        ("-3", -3),
        ("20.0", 20.0),
        ("2e1", 20.0),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("'20'", "20"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-11-23", "2026-11-23"),
        (".inf", ".inf"),
        ("9" * 30, "9" * 30),
    ],
)
def test_scalars_are_what_they_are_to_kubernetes(text: str, value: Any) -> None:
    (document,) = load_all(text)
    assert document == value
    assert type(document) is type(value)


def test_anchors_and_merges_work() -> None:
    assert load_all("a: &x {k: 1}\nb: {<<: *x, l: 2}") == [{"a": {"k": 1}, "b": {"k": 1, "l": 2}}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' comes twice"),
        ("a: {k: 1, 'k': 2}", "the key 'k' comes twice"),
        ("!!python/object/apply:os.system [id]", "is not understood: leave it out"),
        ("a: !!binary aGk=", "is not understood"),
        ("? [a]\n: b", "a key must be a plain word"),
        ("[" * 100 + "]" * 100, "nested deeper than 40"),
        ("&a [" + "*a," * 100 + "]", "more than 64 aliases"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
        ("a: *b", "found undefined alias"),
        ("\x07", "not YAML"),
        ("a: 'x", "found unexpected end of stream"),
        ("#" * (MAX_CHARS + 1), "longer than"),
    ],
)
def test_refuses(text: str, words: str) -> None:
    with pytest.raises(YamlError) as caught:
        load_all(text)
    assert words in str(caught.value)


def test_a_merge_bomb_is_refused_before_it_grows() -> None:
    levels = ["k0: &k0 {" + ", ".join(f"a{i}: 1" for i in range(60)) + "}"]
    levels += [f"k{i}: &k{i} {{<<: [{', '.join([f'*k{i - 1}'] * 15)}]}}" for i in range(1, 5)]
    with pytest.raises(YamlError, match="a mapping of more than 1000 keys"):
        load_all("\n".join(levels))
