"""Logs: bounded, structured, without tokens."""

from __future__ import annotations

import io
import json
import logging
from typing import Literal

import pytest

from voiceroom_mixer.control import logs
from voiceroom_mixer.control.logs import BURST, PER_SECOND, RateFilter

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
NS = 1_000_000_000


class Written:
    """A logger whose lines can be read, in a time that is set."""

    def __init__(self, log_format: Literal["text", "json"]) -> None:
        self.stream = io.StringIO()
        self.now_ns = 0
        self.logger = logging.Logger("voiceroom_mixer.test")
        self.filter = logs.configure(log_format, lambda: self.now_ns, self.stream, self.logger)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_text_and_json_carry_the_same_fields() -> None:
    text, structured = Written("text"), Written("json")
    for written in (text, structured):
        written.logger.info("joined", extra={"room": "lobby", "legs": 3})
    assert text.lines()[0].endswith(" INFO test: joined room=lobby legs=3")
    value = json.loads(structured.lines()[0])
    assert value.pop("time").endswith("+00:00")
    assert value == {
        "level": "info",
        "logger": "voiceroom_mixer.test",
        "message": "joined",
        "room": "lobby",
        "legs": 3,
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "said",
    [
        JWT,
        f"GET /rooms/lobby?token={JWT}&x=1",
        f"Authorization: Bearer {JWT}",
        "GET /?token=abc.def",
        f"b'GET /?token={JWT} HTTP/9'",
    ],
)
def test_tokens_are_struck_out_of_messages_fields_and_tracebacks(
    log_format: Literal["text", "json"], said: str
) -> None:
    written = Written(log_format)
    try:
        raise RuntimeError(said)
    except RuntimeError:
        written.logger.exception("failed: %s", said, extra={"asked": said})
    output = written.stream.getvalue()
    assert output.count("***") >= 3
    assert "eyJ" not in output
    assert "abc.def" not in output
    if log_format == "json":
        assert "RuntimeError" in json.loads(output)["exception"]


def test_a_flood_is_bounded_and_the_next_line_tells_how_many_were_left_out() -> None:
    written = Written("json")
    for _ in range(BURST + 30):
        written.logger.info("flood")
    assert len(written.lines()) == BURST
    written.now_ns += NS // PER_SECOND
    written.logger.info("after")
    assert json.loads(written.lines()[-1])["suppressed"] == 30
    assert written.filter.suppressed == 30
    written.now_ns += 10 * NS
    written.logger.info("calm")
    assert "suppressed" not in json.loads(written.lines()[-1])


def test_over_time_the_stated_rate_passes() -> None:
    now_ns = 0
    rate = RateFilter(lambda: now_ns)
    record = logging.makeLogRecord({})
    passed = 0
    for _ in range(10_000):
        now_ns += NS // 1000
        passed += rate.filter(record)
    assert passed == pytest.approx(BURST + 10 * PER_SECOND, abs=1)
    assert rate.lock_wait_ns == 0
