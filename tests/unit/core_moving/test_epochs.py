"""No SSRC twice under the keys of a leg, no epoch for two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.core.moving.epochs import MAX_EPOCH, given_anew, ssrc_of, taken_over

epochs = st.integers(0, MAX_EPOCH)


@given(st.integers(0, 2**32 - 1), epochs, epochs)
def test_no_two_epochs_of_a_leg_share_an_ssrc(first: int, a: int, b: int) -> None:
    assert (ssrc_of(first, a) == ssrc_of(first, b)) == (a == b)


@given(epochs)
def test_what_the_twin_may_take_by_itself_is_given_to_nobody(epoch: int) -> None:
    assert epoch < taken_over(epoch) < given_anew(epoch)
