import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.auth.limits import Buckets, Rate, RequestLimits
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import Role

T0_NS = 5_000 * NS_PER_S


def claims(role: Role = "speaker", jti: str = "t") -> Claims:
    return Claims("Ana", "lobby", role, 0, jti)


def test_a_burst_then_a_steady_rate() -> None:
    buckets = Buckets(Rate(20))
    assert [buckets.take("a", T0_NS) for _ in range(20)] == [0] * 20
    assert buckets.take("a", T0_NS) == 50 * NS_PER_MS
    assert buckets.take("a", T0_NS + 50 * NS_PER_MS - 1) == 1
    assert buckets.take("a", T0_NS + 50 * NS_PER_MS) == 0
    assert buckets.take("b", T0_NS) == 0


def test_no_more_than_the_rate_in_any_ten_seconds() -> None:
    buckets = Buckets(Rate(20))
    let_in = sum(not buckets.take("a", T0_NS + i * NS_PER_MS) for i in range(10_000))
    assert let_in == 20 + 199


def test_idle_time_gives_one_burst_and_no_more() -> None:
    buckets = Buckets(Rate(20))
    buckets.take("a", T0_NS)
    later = T0_NS + 3600 * NS_PER_S
    assert sum(not buckets.take("a", later) for _ in range(100)) == 20


def test_a_clock_that_steps_back_locks_nobody_out_for_long() -> None:
    buckets = Buckets(Rate(20))
    buckets.take("a", T0_NS)
    assert buckets.take("a", T0_NS - 10 * NS_PER_MS) == 0


def test_memory_is_bounded_and_forgetting_is_counted() -> None:
    buckets = Buckets(Rate(20), capacity=100)
    for i in range(250):
        buckets.take(f"source-{i}", T0_NS)
    assert len(buckets) == 100
    assert buckets.evictions == 150


def test_forgetting_a_full_bucket_loses_nothing() -> None:
    buckets = Buckets(Rate(20), capacity=1)
    buckets.take("a", T0_NS)
    buckets.take("b", T0_NS + NS_PER_S)
    assert buckets.evictions == 0


def test_the_busiest_are_not_forgotten_first() -> None:
    buckets = Buckets(Rate(20), capacity=2)
    for _ in range(20):
        buckets.take("busy", T0_NS)
        buckets.take("other", T0_NS)
        buckets.take("busy", T0_NS)
    buckets.take("new", T0_NS)
    assert buckets.take("busy", T0_NS) > 0


def let_in(limits: RequestLimits, role: Role, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            limits.authenticated(claims(role), T0_NS)
        except ApiError:
            continue
        count += 1
    return count


@pytest.mark.parametrize(
    ("role", "rate", "limit"),
    [
        ("listener", 100, "token"),
        ("speaker", 100, "token"),
        ("moderator", 1000, "moderator"),
        ("admin", 1000, "moderator"),
    ],
)
def test_rates_by_role(role: Role, rate: int, limit: str) -> None:
    limits = RequestLimits()
    assert let_in(limits, role, rate + 5) == rate
    assert limits.limited[limit] == 5


def test_tokens_are_limited_one_by_one() -> None:
    limits = RequestLimits()
    let_in(limits, "speaker", 100)
    limits.authenticated(claims(jti="another"), T0_NS)


def test_429_says_when_to_come_back() -> None:
    limits = RequestLimits()
    for _ in range(20):
        limits.anonymous("192.0.2.1", T0_NS)
    with pytest.raises(ApiError, match="try again in 1 s") as caught:
        limits.anonymous("192.0.2.1", T0_NS)
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "1"})
    assert limits.limited == {"anonymous": 1, "token": 0, "moderator": 0}
    limits.anonymous("192.0.2.2", T0_NS)


def test_failures_count_as_requests_without_a_token() -> None:
    limits = RequestLimits()
    for _ in range(25):
        limits.failed("192.0.2.1", T0_NS)
    with pytest.raises(ApiError):
        limits.check_failing("192.0.2.1", T0_NS)
    limits.check_failing("192.0.2.1", T0_NS + 50 * NS_PER_MS)
    limits.check_failing("192.0.2.2", T0_NS)
