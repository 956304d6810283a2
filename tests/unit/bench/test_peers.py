"""What peers are told and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
from bench.errors import BenchError
from bench.peers import cyclictest, livekit
from bench.peers.cyclictest import Policy
from bench.prerequisites import go_version


def test_quantiles_of_a_histogram() -> None:
    histogram = {10: 50, 20: 49, 400: 1}
    assert cyclictest.quantile_us(histogram, 0.5) == 10
    assert cyclictest.quantile_us(histogram, 0.99) == 20
    assert cyclictest.quantile_us(histogram, 1.0) == 400


def test_an_empty_histogram_is_no_figure() -> None:
    with pytest.raises(BenchError, match="nothing"):
        cyclictest.quantile_us({}, 0.5)


def test_the_answer_of_cyclictest_is_read() -> None:
    thread = {"histogram": {"15": 3, "67": 1}, "cycles": 4, "min": 15, "max": 67}
    latency = cyclictest.parse({"thread": {"0": thread}})
    assert latency == cyclictest.Latency(cycles=4, p50_us=15, p99_us=67, max_us=67)


def test_cyclictest_gets_the_policy_of_the_mixer() -> None:
    words = cyclictest.command(Path("/x"), 20_000, Policy("fifo", 10), 60)
    assert "--policy=fifo" in words
    assert "--priority=10" in words
    assert "--interval=20000" in words


def test_without_real_time_cyclictest_gets_the_niceness() -> None:
    words = cyclictest.command(Path("/x"), 20_000, Policy("other", 0, -11), 60)
    assert words[:3] == ["nice", "-n", "-11"]
    assert not [word for word in words if word.startswith("--priority")]


def test_livekit_listens_on_loopback_and_asks_nobody() -> None:
    config = json.loads(livekit.config())
    assert config["bind_addresses"] == ["127.0.0.1"]
    assert config["rtc"]["node_ip"] == "127.0.0.1"
    assert not config["rtc"]["use_external_ip"]


def test_a_livekit_token_opens_its_room() -> None:
    secret = json.loads(livekit.config())["keys"]
    claims = jwt.decode(livekit.token("r", "p1"), secret["bench"], ["HS256"])
    assert claims["video"] == {"room": "r", "roomJoin": True}
    assert claims["sub"] == "p1"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.19 linux/arm64", (1, 19)),
        ("something else", (0, 0)),
    ],
)
def test_the_version_of_go_is_read(text: str, version: tuple[int, int]) -> None:
    assert go_version(text) == version
