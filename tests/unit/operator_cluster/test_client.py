"""Answers of an API server, and of what may stand in front of one, as errors."""

import json
from typing import Any

import pytest

from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.cluster.client import _error, _json


def status(code: int, reason: str, **more: Any) -> ApiError:
    told = {"kind": "Status", "code": code, "reason": reason, "message": "words"} | more
    return _error(code, {}, json.dumps(told).encode())


def test_conflicts_are_told_apart() -> None:
    assert status(409, "AlreadyExists").exists
    assert not status(409, "AlreadyExists").is_stale
    assert status(409, "Conflict").is_stale
    assert not status(409, "Conflict").exists


def test_a_patch_for_an_object_of_the_past_is_old_news() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "metadata.uid"}]
    assert status(422, "Invalid", details={"causes": causes}).is_stale
    causes.append({"reason": "FieldValueInvalid", "field": "spec.size"})
    assert status(422, "Invalid", details={"causes": causes}).is_refusal
    assert status(422, "Invalid", details={"causes": ["?"]}).is_refusal
    assert status(422, "Invalid", details=[1]).is_refusal


@pytest.mark.parametrize("code", [400, 403, 405, 413, 422])
def test_refusals_last_until_somebody_changes_something(code: int) -> None:
    assert status(code, "").is_refusal


@pytest.mark.parametrize("code", [401, 404, 408, 409, 410, 429, 500, 502, 503, 504])
def test_others_do_not(code: int) -> None:
    assert not status(code, "").is_refusal


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("", None), ("-1", None), ("soon", None), ("1.5", None), ("99999999", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert _error(429, {"Retry-After": text}, b"{}").retry_after_s == seconds


@pytest.mark.parametrize("raw", [b"<html>Bad gateway</html>", b"\xff\xfe", b"", b"[1]", b"null"])
def test_a_proxy_that_speaks_no_json_is_quoted(raw: bytes) -> None:
    error = _error(502, {}, raw)
    assert (error.status, error.reason) == (502, "")
    assert error.message == raw.decode(errors="replace")


@pytest.mark.parametrize("raw", [b"<html>", b"[1]", b"null", b""])
def test_an_answer_that_is_no_object_is_an_error(raw: bytes) -> None:
    with pytest.raises(ApiError, match="NotJSON"):
        _json(raw, 200)
