"""What is measured, in its order."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.cluster import figures
from bench.cluster.apiserver import Client
from bench.cluster.figures import Change
from bench.cluster.meter import Reading, mixers_cpu_s
from bench.cluster.site import Site
from bench.errors import BenchError
from bench.report import Row

READY_S: Final = 60.0
BULK_S: Final = 600.0
SENDERS: Final = 4
"""Connections by which many rooms are applied at once."""
PERIOD_S: Final = 1.0

Say = Callable[[str], None]


def run(site: Site, say: Say) -> Iterator[Row]:
    """All of it."""
    few, many = site.settings.few, site.settings.many
    _fill(site, _names("few", few))
    # Capacity is to be warm: what pods have cost that begin together is not what they cost.
    time.sleep(2 * site.settings.calm_s)
    at_few = yield from _singles(site, few, say)
    yield _bulk(site, _names("room", many - few), say)
    time.sleep(2 * site.settings.calm_s)
    at_many = yield from _singles(site, many, say)
    yield from figures.comparison(at_few, at_many, (few, many))
    yield from _rest(site, say)


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(count)]


def _fill(site: Site, names: Sequence[str]) -> None:
    for name in names:
        site.client.apply(name)
    _await_ready(site, names, READY_S)


def _await_ready(site: Site, names: Sequence[str], within_s: float) -> None:
    watch, missing = site.watch, set(names)

    def none_is_missing() -> bool:
        missing.difference_update([name for name in missing if watch.ready(name)])
        return not missing

    try:
        watch.until(none_is_missing, within_s, f"all {len(names):,} are Ready")
    except BenchError as error:
        raise BenchError(f"{error}; {watch.stories_of(missing)}") from error


def _singles(site: Site, rooms: int, say: Say) -> Generator[Row, None, Change]:
    """apply -> Ready one by one, then changes; returns what a change costs."""
    say(f"{site.settings.applies} rooms one by one among {rooms:,}")
    taken = [_apply(site, f"single-{n}") for n in range(site.settings.applies)]
    slowest = f"the slowest: {max(taken)[1]}"
    figure = f"apply -> Ready among {rooms:,} rooms"
    yield figures.delays(figure, [delay_s for delay_s, _ in taken], slowest)
    say(f"{site.settings.changes} changes among {rooms:,}")
    time.sleep(site.settings.calm_s)
    rest = _during(site, lambda: time.sleep(site.settings.changes * PERIOD_S))
    during = _during(site, lambda: _changes(site))
    return figures.change(during, rest, site.settings.changes)


def _apply(site: Site, name: str) -> tuple[float, str]:
    """How long it took from the call on, and by what steps; the room is gone afterwards."""
    begin_s = time.monotonic()
    site.client.apply(name)
    _await_ready(site, [name], READY_S)
    story = site.watch.stories[name]
    assert story.ready_s is not None
    site.client.delete(name)
    site.watch.until(lambda: name not in site.watch.stories, READY_S, f"{name} is gone")
    return story.ready_s - begin_s, str(story)


def _changes(site: Site) -> None:
    """One a second, each until the room's status speaks of it."""
    begin_s = time.monotonic()
    for number in range(site.settings.changes):
        name = f"few-{number % site.settings.few}"
        wanted = site.client.change(name, {"maxParticipants": 101 + number})
        _await_generation(site, name, wanted)
        time.sleep(max(0.0, begin_s + (number + 1) * PERIOD_S - time.monotonic()))


def _await_generation(site: Site, name: str, wanted: int) -> None:
    story = site.watch.stories[name]
    site.watch.until(lambda: story.generation >= wanted, READY_S, f"{name} has changed")


def _during(site: Site, work: Callable[[], None]) -> Reading:
    before = site.operator.read()
    work()
    return site.operator.read().since(before)


def _bulk(site: Site, names: Sequence[str], say: Say) -> Row:
    say(f"{len(names):,} rooms at once")
    before, begin_s = site.operator.read(), time.monotonic()
    clients = [Client(site.client.port, site.client.namespace) for _ in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda part: _send(clients[part], names[part::SENDERS]), range(SENDERS)))
    sent_s = time.monotonic() - begin_s
    _await_ready(site, names, BULK_S)
    took_s = time.monotonic() - begin_s
    used = site.operator.read().since(before)
    words = f"all Ready after {took_s:.1f} s; operator {used.cpu_s:.1f} s CPU"
    figure = f"{len(names):,} rooms applied at once"
    return figures.measured(figure, words, f"the last of them was sent after {sent_s:.1f} s")


def _send(client: Client, names: Sequence[str]) -> None:
    for name in names:
        client.apply(name)
    client.close()


def _rest(site: Site, say: Say) -> Iterator[Row]:
    seconds = site.settings.rest_s
    say(f"at rest for {seconds:g} s")
    time.sleep(site.settings.calm_s)
    mixers_s = mixers_cpu_s(site.mixers)
    reading = _during(site, lambda: time.sleep(seconds))
    used_s = (mixers_cpu_s(site.mixers) - mixers_s) / reading.at_s
    yield from figures.rest(reading, site.operator.rss_mib(), site.settings.many)
    each = 100 * used_s / len(site.mixers)
    figure = f"{len(site.mixers)} mixers at rest, {site.settings.many:,} rooms: CPU"
    yield figures.measured(figure, f"{100 * used_s:.0f} % of a core, {each:.1f} % each")
