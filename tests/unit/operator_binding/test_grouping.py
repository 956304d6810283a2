"""What has changed, and what was worked out of what has not."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_operator.grouping import Group, Groups, differences, regrouped

Thing = tuple[str, ...]
THINGS = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from(["p", "q", ""]), max_size=2).map(tuple)
)


def _groups_of(thing: Thing) -> Thing:
    return thing


def test_another_object_is_a_difference_and_the_same_is_none() -> None:
    same, was, now = object(), object(), object()
    before = {"same": same, "other": was, "gone": was}
    assert differences(before, before) == []
    assert differences(before, dict(before)) == []
    after = {"same": same, "other": now, "new": now}
    assert sorted(differences(before, after)) == ["gone", "new", "other"]


@given(st.lists(THINGS, max_size=6))
def test_groups_are_the_same_by_whatever_way_they_have_come_about(
    states: list[dict[str, Thing]],
) -> None:
    groups: Groups[Thing] = {}
    before: dict[str, Thing] = {}
    for after in states:
        last = groups
        groups = regrouped(groups, before, after, differences(before, after), _groups_of)
        fresh = regrouped({}, {}, after, after, _groups_of)
        assert {k: dict(v) for k, v in groups.items()} == {k: dict(v) for k, v in fresh.items()}
        assert all(groups.get(k) is v for k, v in last.items() if dict(groups.get(k, {})) == v)
        before = after


def test_a_group_is_worked_on_once_for_the_same_question() -> None:
    asked: list[int] = []

    def count(things: Mapping[str, int], more: int) -> int:
        asked.append(more)
        return len(things) + more

    group = Group({"a": 1})
    assert [group.once(count, 1), group.once(count, 1), group.once(count, 2)] == [2, 2, 3]
    assert asked == [1, 2]
    assert group != Group({"a": 1})
