from fractions import Fraction

import pytest

from voiceroom_api.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2", 2),
        ("0.5", Fraction(1, 2)),
        ("1.250", Fraction(5, 4)),
        ("500m", Fraction(1, 2)),
        ("1k", 1000),
        ("3M", 3_000_000),
        ("1Ki", 1024),
        ("512Mi", 512 * 1024**2),
        ("0.5Gi", 512 * 1024**2),
        ("2Ti", 2 * 1024**4),
    ],
)
def test_amounts(text: str, amount: Fraction) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "-1", "1e3", "1KI", "1ki", "1.", ".5", "1Mi\n"])
def test_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)
