"""Options and exit codes of `make demo-drift`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error as BrowserError

from demo import cli, drift
from localcluster.failure import ClusterError


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """`main` sets a handler, which is not to outlive the test."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ends(monkeypatch: pytest.MonkeyPatch, outcome: int | BaseException, *sent: int) -> int:
    """The exit code when the demonstration ends so, after these signals."""

    def run(_out: Path, *, browser: bool) -> int:
        assert browser
        for number in sent:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(number)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(drift, "run", run)
    return cli.main([])


def test_options_have_defaults_and_wrong_ones_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = cli.parse([])
    assert (options.picture, options.no_browser) == (cli.PICTURE, False)
    with pytest.raises(SystemExit, match="2"):
        cli.parse(["--pictures=x"])
    assert "--pictures" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_is_the_demonstrations(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert ends(monkeypatch, code) == code


@pytest.mark.parametrize("error", [ClusterError("not root"), AssertionError("not root")])
def test_what_cannot_be_shown_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert ends(monkeypatch, error) == 1
    assert capsys.readouterr().err == "demo: not root\n"


def test_ctrl_c_is_no_failure_and_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends(monkeypatch, KeyboardInterrupt()) == cli.STOPPED


def test_a_browser_that_ctrl_c_has_ended_as_well_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(monkeypatch, BrowserError("net::ERR_ABORTED"), signal.SIGINT) == cli.STOPPED
    assert "stopped" in capsys.readouterr().err
    assert ends(monkeypatch, BrowserError("it crashed")) == 1


def test_sigterm_ends_it_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends(monkeypatch, 0) == 0
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
