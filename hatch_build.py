"""Hatchling's hook: the compiled kernels go into the wheel, or a pure one is built without them."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("mixer/voiceroom_mixer/native")


def _builder(root: Path) -> ModuleType:
    """The build module as a file: the package around it is not installed yet."""
    spec = importlib.util.spec_from_file_location("native_build", root / NATIVE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class NativeHook(BuildHookInterface):
    """Compiles before the files are collected. A missing compiler is said and is no error: the
    mixer has a Python twin of every kernel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and mark the wheel as one for this platform."""
        builder = _builder(Path(self.root))
        try:
            library = builder.build()
        except builder.BuildError as error:
            self.app.display_warning(f"native kernels left out: {error}")
            return
        if version == "editable":
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/{NATIVE.as_posix()}/{library.name}")
