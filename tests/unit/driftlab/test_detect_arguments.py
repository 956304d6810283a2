"""Options of ``voiceroom-driftlab detect`` that cannot be, or do not go together."""

from __future__ import annotations

from argparse import Namespace

import pytest

from voiceroom_driftlab import detect
from voiceroom_driftlab.cli import main, parser


def options(*words: str) -> Namespace:
    return parser().parse_args(["detect", *words])


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["detect", *words])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--repeat", "3"), "--repeat: goes with --real only: add --real"),
        (("--repeat", "3"), "in virtual time it is --times"),
        (("--kinds", "gc"), "--kinds: goes with --real only: add --real"),
        (("--minutes-quiet", "1"), "--minutes-quiet: goes with --real only: add --real"),
        (("--real", "--times", "3"), "--times: goes without --real only: use --repeat"),
        (
            ("--real", "--quiet-hours", "1"),
            "--quiet-hours: goes without --real only: use --",
        ),
        (("--real", "--pairs", "1"), "--pairs: goes without --real only: leave it out"),
        (("--real", "--repeat", "0"), "--repeat: '0' is not a number from 1 on"),
        (("--real", "--minutes-quiet", "0"), "--minutes-quiet: '0' is not a number above 0"),
        (("--real", "--minutes-quiet", "nan"), "--minutes-quiet: 'nan' is not a number above 0"),
        (("--real", "--kinds", "gc,slow"), "--kinds: there is no kind 'slow'; there are step-one"),
    ],
)
def test_it_is_refused_with_the_option_and_the_fix(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *words)


def test_without_root_the_kinds_that_need_it_are_named_and_the_others_offered() -> None:
    (said,) = detect.conflicts(options("--real"), root=False)
    assert "throttle and starved need cgroups" in said
    offered = said.rpartition("--kinds ")[2]
    assert list(detect.conflicts(options("--real", "--kinds", offered), root=False)) == []


def test_root_may_do_it_all() -> None:
    assert list(detect.conflicts(options("--real", "--repeat", "30"), root=True)) == []


def test_a_kind_given_twice_is_taken_once() -> None:
    assert options("--real", "--kinds", "gc,gil,gc").kinds == ("gc", "gil")
