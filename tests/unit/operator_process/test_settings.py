"""How the operator is started, and what it says when it cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from voiceroom_operator.rights import FLAGS
from voiceroom_operator.settings import BadSetting, Settings, parser, read_settings

BASE = ("--mixer-image=registry.example.org/voiceroom:1", "--own-namespace=system")


def read(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Settings:
    """``files`` by their names."""

    def read_file(path: Path) -> str:
        if path.name not in (files or {}):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return (files or {})[path.name]

    return read_settings(arguments, environment or {}, read_file)


def complaint(*arguments: str, **given: Any) -> str:
    with pytest.raises(BadSetting) as caught:
        read(*arguments, **given)
    return str(caught.value)


def test_defaults() -> None:
    found = read(*BASE)
    assert found.namespaces == ("system",)
    assert (found.host, found.port) == ("0.0.0.0", 8080)
    assert found.lease_name == "voiceroom-operator"
    assert found.pods.image_pull_policy == "IfNotPresent"
    assert found.default_pool == {}
    assert not found.network_policy
    assert not found.pods.chaos
    assert (found.log_format, found.log_level) == ("json", "info")


def test_an_option_goes_before_its_variable_and_an_empty_one_counts_for_nothing() -> None:
    environment = {"VOICEROOM_LEASE_NAME": "from-there", "VOICEROOM_LOG_LEVEL": " "}
    assert read(*BASE, environment=environment).lease_name == "from-there"
    assert read(*BASE, environment=environment).log_level == "info"
    found = read(*BASE, "--lease-name=from-here", environment=environment)
    assert found.lease_name == "from-here"


def test_chaos_is_a_switch() -> None:
    assert read(*BASE, "--mixer-chaos=true").pods.chaos
    assert "--mixer-chaos: must be one of true, false" in complaint(*BASE, "--mixer-chaos=on")


def test_in_a_pod_the_namespace_is_its_own() -> None:
    image = BASE[0]
    assert read(image, files={"namespace": "voice\n"}).own_namespace == "voice"
    assert "--own-namespace: outside a cluster it has to be given" in complaint(image)


def test_whose_rooms_are_run() -> None:
    assert read(*BASE, "--namespace=ana, bob,ana").namespaces == ("ana", "bob")
    assert read(*BASE, "--all-namespaces=true").namespaces == ()
    both = ("--all-namespaces=true", "--namespace=ana")
    assert complaint(*BASE, *both) == "--namespace: give it or --all-namespaces, not both"


def test_the_default_pool_is_taken_as_it_was_written() -> None:
    option = "--default-pool=/etc/voiceroom/pool.yaml"
    text = "size: {min: 2}\n"
    assert read(*BASE, option, files={"pool.yaml": text}).default_pool == {"size": {"min": 2}}
    assert read(*BASE, option, files={"pool.yaml": "---\n"}).default_pool == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sizes: {}", "spec.sizes: unknown field; did you mean size?"),
        ("size: {min: 9, max: 1}", "spec.size: min must not be greater than max"),
        ("[1]", "spec: must be a mapping"),
        ("a: 1\n---\nb: 2", "must hold one document"),
        ("{", "/pool.yaml: "),
    ],
)
def test_a_bad_default_pool_names_file_and_field(text: str, words: str) -> None:
    said = complaint(*BASE, "--default-pool=/pool.yaml", files={"pool.yaml": text})
    assert said.startswith("--default-pool: /pool.yaml: ")
    assert words in said


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--listen=8080", "--listen: must be ADDRESS:PORT"),
        ("--listen=0.0.0.0:99999", "--listen: must be ADDRESS:PORT"),
        ("--log-level=loud", "--log-level: must be one of debug, info, warning, error"),
        ("--network-policy=yes", "--network-policy: must be one of true, false"),
        ("--mixer-image-pull-policy=Never!", "--mixer-image-pull-policy: must be Always"),
        ("--namespace=Not_A_Label", "--namespace: must be a DNS label"),
        ("--mixer-image=", "--mixer-image: is required"),
        ("--default-pool=/nowhere", "--default-pool: /nowhere: "),
    ],
)
def test_a_bad_option_is_named(option: str, words: str) -> None:
    assert words in complaint(*BASE, option)


def test_an_address_of_ipv6() -> None:
    found = read(*BASE, "--listen=[::]:8080")
    assert (found.host, found.port) == ("::", 8080)


def test_help_tells_every_option_with_its_variable() -> None:
    text = " ".join(parser().format_help().split())
    for flag in FLAGS:
        assert flag.name in text
        assert flag.variable in text.replace("- ", "-")
