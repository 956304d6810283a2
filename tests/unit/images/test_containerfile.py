"""The Containerfile and the operator agree on what a mixer pod is started as."""

from __future__ import annotations

import json
import re
from pathlib import Path

from voiceroom_operator.children.security import USER

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Containerfile").read_text()


def test_the_user_is_the_one_of_mixer_pods() -> None:
    assert f"USER {USER}:{USER}\n" in TEXT
    deployment = (ROOT / "charts/voiceroom/templates/deployment.yaml").read_text()
    assert set(re.findall(r"runAsUser: (\d+)", deployment)) == {str(USER)}


def test_a_pods_arguments_follow_the_entry_point() -> None:
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", TEXT, re.M)
    assert json.loads(entry) == ["voiceroom-mixer"]


def test_the_image_has_the_versions_that_are_tested() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text()
        return set(re.findall(r"^[a-z0-9._-]+==[^ \\]+", text, re.M))

    assert pins("image.lock") - pins("dev.lock") == set()


def test_every_source_of_the_wheel_is_sent_to_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name in ("crds", "mixer", "operator", "pyproject.toml", "hatch_build.py", "README.md"):
        assert f"!{name}" in ignored
        assert (ROOT / name).exists()
