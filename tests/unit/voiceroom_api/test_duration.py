import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_api.duration import MAX_CHARS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h", 3600), ("1h30m", 5400), ("1h0m5s", 3605), ("0s", 0)],
)
def test_reads_hours_minutes_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "h", "1d", "-1s", "1.5h", "1s1h", "1h\n", " 1h", "1 h", "123456s", "١h"]
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 90s"):
        parse_duration(text)


@given(st.integers(0, 99_999 * 3600))
def test_format_is_the_inverse(seconds: int) -> None:
    text = format_duration(seconds)
    assert parse_duration(text) == seconds
    assert len(text) <= MAX_CHARS
