"""Images of one layer, and the cache."""

from __future__ import annotations

import json
import os
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from images import archive, cache
from images.voiceroom import Image


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Manifest, configuration and layer of a docker-archive."""
    with tarfile.open(path) as tar:
        parts = {name: file.read() for name in tar.getnames() if (file := tar.extractfile(name))}
    (manifest,) = json.loads(parts["manifest.json"])
    return manifest, json.loads(parts[manifest["Config"]]), parts[manifest["Layers"][0]]


def write(folder: Path) -> Path:
    """An image of one program."""
    program = folder / "program"
    program.write_bytes(b"#!/bin/true\n")
    archive.layer({"/bin/program": program}, folder / "rootfs.tar")
    settings = archive.Settings(entrypoint=("/bin/program",), environment={"A": "b"})
    target = folder / "image.tar"
    archive.write(target, "localhost/program:1", folder / "rootfs.tar", "x86_64", settings)
    return target


def test_an_image_says_what_it_is_and_starts(tmp_path: Path) -> None:
    manifest, config, layer = read(write(tmp_path))
    assert manifest["RepoTags"] == ["localhost/program:1"]
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    assert config["config"] == {"Entrypoint": ["/bin/program"], "User": "", "Env": ["A=b"]}
    assert config["rootfs"]["diff_ids"] == [f"sha256:{sha256(layer).hexdigest()}"]


def test_a_layer_is_the_same_each_time_and_can_be_run(tmp_path: Path) -> None:
    first = read(write(tmp_path))[2]
    os.utime(tmp_path / "program", (1, 1))
    assert read(write(tmp_path))[2] == first
    with tarfile.open(tmp_path / "rootfs.tar") as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.mode) == ("bin/program", 0o755)


def test_a_key_tells_contents_apart_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "__pycache__").mkdir(parents=True)
    (source / "a.py").write_text("a")
    before = cache.key([source, "x"])
    (source / "__pycache__" / "a.pyc").write_text("compiled")
    os.utime(source / "a.py", (1, 1))
    assert cache.key([source, "x"]) == before
    assert cache.key([source, "y"]) != before
    assert cache.key([source]) != before
    (source / "a.py").write_text("b")
    assert cache.key([source, "x"]) != before


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    def make(part: Path) -> None:
        part.write_text("made")

    target = tmp_path / "image.tar"
    for expected in (True, False):
        with cache.made_once(target, make) as made:
            assert made is expected
    assert target.read_text() == "made"


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(part: Path) -> None:
        part.write_text("half")
        raise cache.BuildError("no disk")

    with pytest.raises(cache.BuildError), cache.made_once(tmp_path / "image.tar", fail):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["image.lock"]


def test_old_images_go_and_the_one_in_use_stays(tmp_path: Path) -> None:
    paths = [tmp_path / f"image-{number}.tar" for number in range(6)]
    for number, path in enumerate(paths):
        path.touch()
        os.utime(path, (number, number))
    cache.prune(paths[0], "image-*.tar")
    assert sorted(path.name for path in tmp_path.glob("*.tar")) == [
        *("image-0.tar", "image-3.tar", "image-4.tar", "image-5.tar"),
    ]


def test_a_reference_has_the_two_parts_that_the_chart_takes() -> None:
    image = Image("localhost/voiceroom:0.1.0-abc", Path("x.tar"))
    assert (image.repository, image.tag) == ("localhost/voiceroom", "0.1.0-abc")
