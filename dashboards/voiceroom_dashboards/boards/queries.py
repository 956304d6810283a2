"""Words of PromQL that the boards share, and what boards can be narrowed to."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.boards.model import Variable
from voiceroom_dashboards.rules.promql import WINDOW, increase, rate

RATE: Final = "$__rate_interval"
"""Four scrapes or a pixel, whichever is longer: Grafana knows."""
RANGE: Final = "$__range"
POOLS: Final = 'namespace=~"$namespace",pool=~"$pool"'
NODES: Final = 'node=~"$node"'
PODS: Final = f'{POOLS},{NODES},pod=~"$pod"'
PROBED: Final = f'namespace=~"$namespace",{NODES},pod=~"$pod"'
"""What a clock probe says of a mixer pod: it does not know of pools."""
ROOM: Final = 'namespace=~"$namespace",room="$room"'
BY_POOL: Final = "namespace, pool"
BY_POD: Final = "namespace, pod"
BY_CPU: Final = "node, cpu"

NAMESPACE: Final = Variable(
    "namespace", "label_values(voiceroom_ready, namespace)", "Of mixer pods and their rooms."
)
POOL: Final = Variable(
    "pool", 'label_values(voiceroom_ready{namespace=~"$namespace"}, pool)', "MixerPool."
)
NODE: Final = Variable("node", f"label_values(voiceroom_ready{{{POOLS}}}, node)", "Node.")
POD: Final = Variable("pod", f"label_values(voiceroom_ready{{{POOLS},{NODES}}}, pod)", "Mixer pod.")
ONE_ROOM: Final = Variable(
    "room",
    'label_values(voiceroom_participants{namespace=~"$namespace",room!="other"}, room)',
    "VoiceRoom. Those beyond a pod's cap are not listed: look at their pod instead.",
    one=True,
)


def pick(metric: str, where: str, more: str = "") -> str:
    """A metric, narrowed."""
    return f"{metric}{{{','.join(filter(None, (where, more)))}}}"


def per_s(counter: str, by: str) -> str:
    """Of a counter, per second."""
    return rate(counter, RATE, by)


def grown(counter: str, by: str) -> str:
    """Of a counter, within all that is shown."""
    return increase(counter, RANGE, by)


def worst(gauge: str, by: str) -> str:
    """The greatest."""
    return f"max by ({by}) ({gauge})"


def total(gauge: str, by: str) -> str:
    """The sum."""
    return f"sum by ({by}) ({gauge})"


def trend(gauge: str, by: str) -> str:
    """The greatest of a minute, so that no peak falls between two pixels."""
    return f"max by ({by}) (max_over_time({gauge}[{WINDOW}]))"


def quantile(of: float, buckets: str, by: str) -> str:
    """Of a histogram's ``_bucket``."""
    return f"histogram_quantile({of:g}, {per_s(buckets, f'le, {by}')})"


def buckets(of: str) -> str:
    """Of a histogram's ``_bucket``: how many fell into each."""
    return f"sum by (le) (increase({of}[{RATE}]))"


def share_of_time(gauge: str, by: str) -> str:
    """For how much of the time a gauge of 0 and 1 was 1, in the worst series of each."""
    return f"max by ({by}) (avg_over_time({gauge}[{WINDOW}]))"


def most(count: int, expr: str) -> str:
    """The greatest few."""
    return f"topk({count}, {expr})"


def of_room(expr: str) -> str:
    """What is known of the pods that have people of the room. Only their number has the room as a
    label: all else is the pod's, and shared by its rooms."""
    # a pod that stands by for the room may know it, with nobody in
    return f"{expr} and on ({BY_POD}) {pick('voiceroom_participants', ROOM)} > 0"
