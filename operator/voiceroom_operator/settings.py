"""How the operator is started: options, then environment variables, then defaults."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from voiceroom_api import fields
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.problems import Problem
from voiceroom_api.rules import Refused
from voiceroom_api.texts import DNS_LABEL
from voiceroom_operator.children.pod import PodDefaults
from voiceroom_operator.rights import FLAGS

OWN_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class BadSetting(ValueError):
    """An option cannot be used; the message names it and says what is wanted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    namespaces: tuple[str, ...]
    """Whose rooms are run; empty = of all namespaces."""
    own_namespace: str
    lease_name: str
    identity: str
    """Of this replica; empty = it has no name that outlives its container."""
    host: str
    port: int
    alerts: tuple[str, int] | None
    """Where POST /alerts is listened for; None = nowhere."""
    taint_nodes: bool
    """It may patch nodes."""
    pods: PodDefaults
    default_pool: Mapping[str, Any]
    network_policy: bool
    scraper_namespaces: tuple[str, ...]
    log_format: str
    log_level: str


def parser() -> argparse.ArgumentParser:
    """Of ``voiceroom-operator``."""
    made = argparse.ArgumentParser(
        prog="voiceroom-operator",
        description="Runs VoiceRooms: binds them to mixer pods and keeps the pods of MixerPools.",
    )
    for flag in FLAGS:
        shown = flag.default or "none"
        text = f"{flag.help} (default {shown}; environment {flag.variable})"
        made.add_argument(flag.name, metavar="VALUE", help=text)
    return made


def read_settings(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    read_file: Callable[[Path], str] = Path.read_text,
) -> Settings:
    """Raises ``BadSetting``; ``SystemExit`` for ``--help`` and for options that do not exist."""
    given = vars(parser().parse_args(arguments))
    return _Reader(given, environment, read_file).settings()


class _Reader:
    def __init__(
        self,
        given: Mapping[str, str | None],
        environment: Mapping[str, str],
        read_file: Callable[[Path], str],
    ) -> None:
        self._given = given
        self._environment = environment
        self._read_file = read_file

    def settings(self) -> Settings:
        own = self._own_namespace()
        host, port = self._listen("--listen")
        return Settings(
            namespaces=self._namespaces(own),
            own_namespace=own,
            lease_name=self._name("--lease-name"),
            identity=self._text("--identity"),
            host=host,
            port=port,
            alerts=self._alerts(),
            taint_nodes=self._flag("--taint-nodes"),
            pods=self._pods(),
            default_pool=self._default_pool(),
            network_policy=self._flag("--network-policy"),
            scraper_namespaces=self._names("--scraper-namespaces"),
            log_format=self._choice("--log-format", ("json", "text")),
            log_level=self._choice("--log-level", ("debug", "info", "warning", "error")),
        )

    def _text(self, name: str) -> str:
        """An empty variable counts as not given."""
        flag = next(flag for flag in FLAGS if flag.name == name)
        given = self._given.get(name.removeprefix("--").replace("-", "_"))
        if given is not None:
            return given.strip()
        return self._environment.get(flag.variable, "").strip() or flag.default

    def _own_namespace(self) -> str:
        if self._text("--own-namespace"):
            return self._name("--own-namespace")
        try:
            return self._read_file(OWN_NAMESPACE_FILE).strip()
        except OSError:
            raise BadSetting(
                "--own-namespace: outside a cluster it has to be given: the namespace of the Lease"
            ) from None

    def _namespaces(self, own: str) -> tuple[str, ...]:
        found = self._names("--namespace")
        if self._flag("--all-namespaces"):
            if found:
                raise BadSetting("--namespace: give it or --all-namespaces, not both")
            return ()
        return found or (own,)

    def _names(self, option: str) -> tuple[str, ...]:
        words = [word.strip() for word in self._text(option).split(",")]
        return tuple(dict.fromkeys(_label(option, word) for word in words if word))

    def _name(self, option: str) -> str:
        return _label(option, self._text(option))

    def _flag(self, option: str) -> bool:
        return self._choice(option, ("true", "false")) == "true"

    def _choice(self, option: str, words: tuple[str, ...]) -> str:
        text = self._text(option)
        if text.lower() not in words:
            raise BadSetting(f"{option}: must be one of {', '.join(words)} (got {text!r})")
        return text.lower()

    def _alerts(self) -> tuple[str, int] | None:
        return None if self._text("--alerts-listen") == "none" else self._listen("--alerts-listen")

    def _listen(self, option: str) -> tuple[str, int]:
        text = self._text(option)
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or len(port) > 5 or int(port) > 65_535:
            raise BadSetting(f"{option}: must be ADDRESS:PORT such as 0.0.0.0:8080 (got {text!r})")
        return host.strip("[]"), int(port)

    def _pods(self) -> PodDefaults:
        image = self._text("--mixer-image")
        if not image:
            raise BadSetting(
                "--mixer-image: is required: the image of mixer pods whose pool names none"
            )
        policy = self._text("--mixer-image-pull-policy")
        if policy not in ("Always", "IfNotPresent", "Never"):
            raise BadSetting(
                f"--mixer-image-pull-policy: must be Always, IfNotPresent or Never (got {policy!r})"
            )
        account, chaos = self._text("--mixer-service-account"), self._flag("--mixer-chaos")
        return PodDefaults(image, policy, account, chaos)

    def _default_pool(self) -> dict[str, Any]:
        """What the file says, not more: the API server writes the defaults."""
        path = self._text("--default-pool")
        if not path:
            return {}
        from voiceroom_api.yamltext import YamlError, load_all

        try:
            documents = [d for d in load_all(self._read_file(Path(path))) if d is not None]
        except (OSError, YamlError, UnicodeDecodeError) as error:
            raise BadSetting(f"--default-pool: {path}: {error}") from error
        if len(documents) > 1:
            raise BadSetting(f"--default-pool: {path}: must hold one document: a MixerPool's spec")
        found = documents[0] if documents else {}
        problems: list[Problem] = []
        fields.read(MixerPoolSpec, found, "spec", problems)
        if problems or not isinstance(found, dict):
            words = "; ".join(f"{problem.path}: {problem.message}" for problem in problems)
            raise BadSetting(f"--default-pool: {path}: {words}")
        return found


def _label(option: str, text: str) -> str:
    try:
        return DNS_LABEL.read(text)
    except Refused as refused:
        raise BadSetting(f"{option}: {refused} (got {text!r})") from None
