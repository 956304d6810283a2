"""What has changed from one look to the next, and what was worked out of what has not.

Objects are compared by identity: whoever makes them hands the same one out again while nothing of
it has changed. That costs next to nothing, and forgetting is no matter: what is not the same
object is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")
Groups = Mapping[str, "Group[T]"]


class Group(dict[str, T], Generic[T]):
    """Things by name. It is never changed; what is worked out of it is kept with it. It is equal
    to itself only."""

    __slots__ = ("_known",)

    def __init__(self, things: Mapping[str, T]) -> None:
        super().__init__(things)
        self._known: dict[Hashable, Any] = {}

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def once(self, work: Callable[[Mapping[str, T], Unpack[Ts]], R], *extra: *Ts) -> R:
        """``work`` of the things, a pure function: done once for the same ``extra``."""
        key = (work, extra)
        if key not in self._known:
            self._known[key] = work(self, *extra)
        found: R = self._known[key]
        return found


NOBODY: Group[Any] = Group({})


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Names of what has come, gone, or become another object."""
    if before is after:
        return []
    get = before.get
    changed = [name for name, thing in after.items() if get(name) is not thing]
    return changed + [name for name in before if name not in after]


def regrouped(
    groups: Groups[T],
    before: Mapping[str, T],
    after: Mapping[str, T],
    changed: Iterable[str],
    groups_of: Callable[[T], Collection[str]],
) -> Groups[T]:
    """``groups`` of ``before`` as those of ``after``, which differ in what is ``changed``. A group
    in which nothing is another stays the same object. ``groups_of``: where a thing belongs."""
    open_: dict[str, dict[str, T]] = {}
    for name in changed:
        for group in groups_of(before[name]) if name in before else ():
            _opened(open_, groups, group).pop(name, None)
        for group in groups_of(after[name]) if name in after else ():
            _opened(open_, groups, group)[name] = after[name]
    if not open_:
        return groups
    kept = {group: things for group, things in groups.items() if group not in open_}
    return kept | {group: Group(things) for group, things in open_.items() if things}


def _opened(open_: dict[str, dict[str, T]], groups: Groups[T], group: str) -> dict[str, T]:
    if group not in open_:
        open_[group] = dict(groups.get(group, NOBODY))
    return open_[group]
