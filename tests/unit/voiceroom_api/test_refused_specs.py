"""What an API server refuses is refused here too, with the path of the field."""

from pathlib import Path

import pytest

from fakes.refusedspecs import RefusedSpec, refused_specs
from voiceroom_api.mixerpool import read_pool
from voiceroom_api.problems import Problem
from voiceroom_api.yamltext import load_all
from voiceroom_mixer.cli.arguments import parse
from voiceroom_mixer.cli.run import configure


@pytest.mark.parametrize("bad", refused_specs("VoiceRoom"), ids=str)
def test_a_room_is_refused_on_a_laptop(
    bad: RefusedSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "room.yaml"
    file.write_text(bad.text)
    with pytest.raises(SystemExit) as caught:
        configure(parse(["run", str(file)]))
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"{file}: {bad.here}\n"


@pytest.mark.parametrize("bad", refused_specs("MixerPool"), ids=str)
def test_a_pool_is_refused_by_its_twin(bad: RefusedSpec) -> None:
    problems: list[Problem] = []
    (document,) = load_all(bad.text)
    assert read_pool(document, problems) is None
    assert [f"{path}: {message}" for path, message in problems] == [bad.here]


def test_there_are_enough() -> None:
    assert len(refused_specs("VoiceRoom")) >= 30
    assert len(refused_specs("MixerPool")) >= 30
