from __future__ import annotations

from voiceroom_mixer.core.mix.encoding import (
    FEC_HOLD_MS,
    MAX_LOSS_PERCENT,
    EncoderPolicy,
    EncoderSettings,
)

BASE = EncoderSettings(bitrate_bps=24_000, dtx=True)


def advance(policy: EncoderPolicy, ms: int) -> None:
    for _ in range(ms // 20):
        policy.advance(20)


def test_without_loss_it_stays_cheap() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=True)
    policy.report(9_999)
    assert policy.settings == BASE


def test_loss_turns_protection_on_at_its_size() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=True)
    policy.report(32_000)
    assert (policy.settings.fec, policy.settings.loss_percent) == (True, 5)
    policy.report(70_000)
    assert policy.settings.loss_percent == 10
    policy.report(900_000)
    assert policy.settings.loss_percent == MAX_LOSS_PERCENT
    assert policy.settings.bitrate_bps == BASE.bitrate_bps


def test_protection_ends_ten_seconds_after_the_loss() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=True)
    policy.report(50_000)
    advance(policy, 60_000)
    assert policy.settings.fec
    policy.report(0)
    advance(policy, FEC_HOLD_MS - 20)
    assert policy.settings.fec
    advance(policy, 20)
    assert policy.settings == BASE


def test_loss_that_comes_back_starts_the_time_anew() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=True)
    policy.report(50_000)
    policy.report(0)
    advance(policy, FEC_HOLD_MS - 1_000)
    policy.report(6_000)
    policy.report(0)
    advance(policy, FEC_HOLD_MS - 1_000)
    assert policy.settings.fec


def test_a_room_without_fec_has_none() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=False)
    policy.report(200_000)
    assert policy.settings == BASE


def test_new_settings_keep_the_protection_where_it_is_allowed() -> None:
    policy = EncoderPolicy(BASE, fec_allowed=True)
    policy.report(60_000)
    policy.rebase(EncoderSettings(bitrate_bps=64_000), fec_allowed=True)
    assert policy.settings == EncoderSettings(bitrate_bps=64_000, fec=True, loss_percent=10)
    policy.rebase(EncoderSettings(bitrate_bps=64_000), fec_allowed=False)
    assert policy.settings == EncoderSettings(bitrate_bps=64_000)
