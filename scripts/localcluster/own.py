"""A cluster of one's own for `make e2e`: used only when it was named on purpose."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from localcluster import controlplane
from localcluster.failure import ClusterError

CONTEXT_VARIABLE = "VOICEROOM_E2E_CONTEXT"
IMAGE_VARIABLE = "VOICEROOM_E2E_IMAGE"


@dataclass(frozen=True)
class Own:
    """The kubeconfig and the context that the tests may use."""

    kubeconfig: Path
    context: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl. Raises: ClusterError with what it said."""
        return controlplane.kubectl(self.kubeconfig, *arguments, stdin=stdin)

    def image(self, environment: Mapping[str, str] = os.environ) -> str:
        """The image that its nodes can pull. Raises: ClusterError when none is named."""
        named = environment.get(IMAGE_VARIABLE, "")
        if ":" not in named.rpartition("/")[2]:
            raise ClusterError(
                f"{IMAGE_VARIABLE} is {named!r}: must be an image with its tag that the nodes can"
                " pull, such as registry.example.org/voiceroom:0.1.0"
            )
        return named


def chosen(environment: Mapping[str, str] = os.environ) -> Own | None:
    """The user's cluster, or None when KUBECONFIG is not set: then ours is started.

    The tests make and delete pods, drain nodes and kill processes. A kubeconfig alone is no
    consent: it may have been set for other work. Raises: ClusterError when the current context is
    not the one that VOICEROOM_E2E_CONTEXT names.
    """
    listed = environment.get("KUBECONFIG", "")
    if not listed:
        return None
    kubeconfig = Path(listed)
    context = _current_context(kubeconfig)
    named = environment.get(CONTEXT_VARIABLE, "")
    if named != context:
        said = f"names {named!r}" if named else "is not set"
        raise ClusterError(
            f"the current context of KUBECONFIG is {context!r} and {CONTEXT_VARIABLE} {said}:"
            f" these tests disrupt the cluster they run on. Set {CONTEXT_VARIABLE}={context} to"
            " use it, or unset KUBECONFIG to start one on this machine."
        )
    return Own(kubeconfig, context)


def _current_context(kubeconfig: Path) -> str:
    if os.pathsep in str(kubeconfig):
        raise ClusterError("KUBECONFIG lists several files: name one.")
    try:
        document = yaml.safe_load(kubeconfig.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ClusterError(f"KUBECONFIG={kubeconfig} cannot be read: {error}") from error
    context = document.get("current-context") if isinstance(document, dict) else None
    if not isinstance(context, str) or not context:
        raise ClusterError(f"KUBECONFIG={kubeconfig} has no current-context: set one.")
    return context
