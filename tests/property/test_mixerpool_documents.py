"""Arbitrary MixerPools: the reader judges as the CRD does, and what it reads it can write."""

import ipaddress
import re
from fractions import Fraction
from typing import Any

from hypothesis import event, given, settings

from fakes.crds import VALIDATIONS, load, nodes
from fakes.documents import ANY, Cel, Judge, specs
from voiceroom_api.duration import parse_duration
from voiceroom_api.mixerpool import MixerPool, read_pool
from voiceroom_api.problems import Problem

CRD = load("mixerpools")
WORDS = {"NodeExternalIP", "NodeInternalIP", "PodIP"}
HOST = r"([-a-zA-Z0-9.]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?"
UNITS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGT", 1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGT", 1)},
}


def amount(text: str | float) -> Fraction:
    """CPUs or bytes; of what is none, 0, which is less than any least."""
    match = re.search(r"^([0-9]+[.]?[0-9]*)([a-zA-Z]*)\Z", str(text).removesuffix(".0"))
    return Fraction(match[1]) * UNITS.get(match[2], 0) if match else Fraction(0)


def at_least(pattern: str, least: str) -> Any:
    def holds(value: Any) -> bool:
        text = str(value).removesuffix(".0")
        return bool(re.search(f"{pattern}\\Z", text)) and amount(text) >= amount(least)

    return holds


def within(low: int, high: int) -> Any:
    return lambda text: low <= parse_duration(text) <= high


def requests_hold(resource: str) -> Any:
    def holds(resources: Any) -> bool:
        request, limit = (resources[part].get(resource) for part in ("requests", "limits"))
        return request is None or amount(request) <= amount(limit)

    return holds


def guaranteed(document: Any) -> bool:
    resources = document["spec"]["resources"]
    return shared(document) or all(
        amount(resources["requests"].get(key, limit)) == amount(limit)
        for key, limit in resources["limits"].items()
    )


def shared(document: Any) -> bool:
    return document["spec"]["realtime"]["mode"] in ("Shared", "Quota")


def whole(document: Any) -> bool:
    cpu = str(document["spec"]["resources"]["limits"]["cpu"]).removesuffix(".0")
    return shared(document) or (cpu.isdecimal() and not cpu.startswith("0"))


def good_keys(entries: Any) -> bool:
    part = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
    prefix = "([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?"
    return all(re.fullmatch(prefix + part, key) for key in entries)


def is_ip(text: str) -> bool:
    try:
        return not getattr(ipaddress.ip_address(text), "ipv4_mapped", None) and "%" not in text
    except ValueError:
        return False


def is_cidr(text: str) -> bool:
    address, _, bits = text.partition("/")
    whole = re.fullmatch("0|[1-9][0-9]*", bits)
    return is_ip(address) and bool(whole) and int(bits) <= (128 if ":" in address else 32)


# By message, which is told apart from all others: the rules themselves are long.
BY_MESSAGE: Cel = {
    'must be 10m or more, written as in 500m, "2" or "1.5"': at_least(
        "^([0-9]{1,5}([.][0-9]{1,3})?|[0-9]{1,8}m)", "10m"
    ),
    "must be 64Mi or more, written as in 512Mi or 2Gi": at_least(
        "^([0-9]{1,15}|[0-9]{1,9}([.][0-9]{1,3})?([kMGT]|[KMGT]i))", "64Mi"
    ),
    "must be a duration from 0s to 24h": within(0, 86_400),
    "must be a duration from 0s to 1h": within(0, 3600),
    "must be a duration from 1s to 1m": within(1, 60),
    "must be a duration from 10s to 1h": within(10, 3600),
    "must be a duration from 10s to 24h": within(10, 86_400),
    "must be a duration from 10s to 720h": within(10, 2_592_000),
    "observe must not be shorter than lateness.window": (
        lambda s: parse_duration(s["lateness"]["window"]) <= parse_duration(s["observe"])
    ),
    "a canary needs size.min of 1 or more: it is tried by pods that run": (
        lambda d: "canary" not in d["spec"] or d["spec"]["size"]["min"] >= 1
    ),
    "requests.cpu must not be greater than limits.cpu": requests_hold("cpu"),
    "requests.memory must not be greater than limits.memory": requests_hold("memory"),
    "realtime.mode Exclusive and Fifo need whole CPUs: write resources.limits.cpu as a whole "
    'number such as "2"': whole,
    "realtime.mode Exclusive and Fifo need requests equal to limits: leave resources.requests "
    "out": guaranteed,
    "network.udpPortCount must be at least mediaProcesses: each has a port of its own": (
        lambda d: bool(d["spec"]["mediaProcesses"] <= d["spec"]["network"]["udpPortCount"])
    ),
    "priority goes with mode Fifo only: leave it out, or set mode: Fifo": (
        lambda s: "priority" not in s or s["mode"] == "Fifo"
    ),
    "keys must be as in kubernetes.io/hostname: a prefix with / or none, then 1 to 63 of A-Z, "
    "a-z, 0-9, -, _ and .": good_keys,
    "keys that begin with voiceroom.dev/ are the operator's": (
        lambda s: not any(key.startswith("voiceroom.dev/") for key in s)
    ),
    "without a key, operator must be Exists": lambda s: "key" in s or s["operator"] == "Exists",
    "value goes with operator Equal only": (
        lambda s: s["operator"] == "Equal" or s.get("value", "") == ""
    ),
    "tolerationSeconds goes with effect NoExecute only": (
        lambda s: "tolerationSeconds" not in s or s.get("effect") == "NoExecute"
    ),
    "minDomains goes with whenUnsatisfiable DoNotSchedule only": (
        lambda s: "minDomains" not in s or s["whenUnsatisfiable"] == "DoNotSchedule"
    ),
    "operators In and NotIn need values, the others take none": (
        lambda s: s["operator"].endswith("In") == (len(s.get("values", [])) > 0)
    ),
    "value and valueFrom exclude each other": lambda s: not {"value", "valueFrom"} <= s.keys(),
    "exactly one of configMapKeyRef, fieldRef, resourceFieldRef and secretKeyRef": (
        lambda s: len(s) == 1
    ),
    "min must not be greater than max": lambda s: bool(s["min"] <= s["max"]),
    "spare must not be greater than max": lambda s: bool(s["spare"] <= s["max"]),
    "udpPort + udpPortCount must be at most 65536: ports end at 65535": (
        lambda s: bool(s["udpPort"] + s["udpPortCount"] <= 65_536)
    ),
    "either words such as NodeExternalIP or addresses, not both": (
        lambda s: WORDS.isdisjoint(s) or set(s) <= WORDS
    ),
    "must be NodeExternalIP, NodeInternalIP, PodIP or an IP address": (
        lambda s: s in WORDS or is_ip(s)
    ),
    "turn: and turns: need secretRef, a Secret with the keys username and credential": (
        lambda s: "secretRef" in s or not any(url.startswith("turn") for url in s["urls"])
    ),
    "must be a network such as 10.0.0.0/8 or fc00::/7": is_cidr,
    "must be an image such as registry.example.org/voiceroom:1.0": (
        lambda s: bool(re.fullmatch("[a-zA-Z0-9][-a-zA-Z0-9._/:@]*", s))
    ),
    "must be an https URL without a query, such as https://voice.example.org": (
        lambda s: bool(re.fullmatch(rf"https://{HOST}(/[-a-zA-Z0-9._~%/]*)?", s))
    ),
    "must be a URL such as stun:stun.example.org:3478": (
        lambda s: bool(re.fullmatch(rf"(stuns?|turns?):{HOST}(\?transport=[a-z]+)?", s))
    ),
    "badWindows must not be greater than ofWindows": (
        lambda s: bool(s["badWindows"] <= s["ofWindows"])
    ),
    "cooldown must not be longer than cooldownMax": (
        lambda s: parse_duration(s["cooldown"]) <= parse_duration(s["cooldownMax"])
    ),
    "alpha and beta must not both be 0": lambda s: bool(s["alpha"] + s["beta"] > 0),
}
CEL: Cel = {
    rule["rule"]: BY_MESSAGE[rule["message"]]
    for _, node in nodes("", CRD.root)
    for rule in node.get(VALIDATIONS, ())
    if "metadata" not in rule["rule"]
}
JUDGE = Judge(CRD, CEL)
NAMES = ["a", "0", "a-b.c", "x" * 63]
KEYS = ["a", "kubernetes.io/hostname", "A_b", "x" * 63]
MAPS = [{}, {"a": "b"}, {"x.y/z": ""}]
LENGTHS = ["0s", "1s", "1m", "60s"]
SAMPLES: dict[str, list[Any]] = {
    "image": ["a", "r.io:5000/a/b@sha256:0"],
    "name": NAMES,
    "runtimeClassName": NAMES,
    "priorityClassName": NAMES,
    "key": KEYS,
    "topologyKey": KEYS,
    "matchLabelKeys": [["a"], []],
    "value": ["", "a"],
    "values": [[], ["a", ""]],
    "cpu": [1, "1", 2.0, "10m", "1.5", "2"],
    "memory": ["64Mi", "0.5Gi", 67108864, "512Mi"],
    "nodeSelector": MAPS,
    "podLabels": MAPS,
    "podAnnotations": MAPS,
    "matchLabels": MAPS,
    "advertise": [[], ["PodIP", "NodeExternalIP"], ["203.0.113.7", "2001:db8::7"]],
    "publicURL": ["https://a", "https://[::1]:8443/v/"],
    "urls": [["stun:a"], ["turns:b:443?transport=tcp"], ["turn:[2001:db8::1]:3478"]],
    "rtpAllowCIDRs": [[], ["0.0.0.0/0", "::/0"], ["10.1.2.3/8"]],
    "deadline": ["0s", "24h"],
    "window": ["1s", "1m", "10s"],
    "observe": ["10s", "1h", "720h"],
    "of": ["a", "x" * 48],
    "minHealthyAge": ["0s", "1h"],
    "cooldown": ["0s", "60s"],
    "cooldownMax": ["1m", "24h"],
    "healthyDelay": LENGTHS,
}
SPECS = specs(CRD.part("spec"), SAMPLES)


def judged(spec: Any) -> tuple[MixerPool | None, list[Problem]]:
    problems: list[Problem] = []
    document = {
        "apiVersion": "voiceroom.dev/v1alpha1",
        "kind": "MixerPool",
        "metadata": {"name": "gold"},
        "spec": spec,
    }
    pool = read_pool(document, problems)
    assert (pool is None) == bool(problems)
    return pool, problems


@given(SPECS)
@settings(max_examples=300)
def test_crd_and_reader_agree(spec: Any) -> None:
    errors, (_, problems) = JUDGE.errors(spec), judged(spec)
    event("refused" if errors else "taken")
    assert bool(errors) == bool(problems), (errors, problems)


@given(SPECS)
def test_what_was_read_can_be_written_and_read(spec: Any) -> None:
    pool, _ = judged(spec)
    if pool is not None:
        assert judged(pool.spec.to_dict()) == (pool, [])


@given(ANY | SPECS)
def test_problems_are_single_lines_of_bounded_length(spec: Any) -> None:
    for path, message in judged(spec)[1]:
        assert len(path) <= 200
        assert len(message) < 500
        assert "\n" not in path + message
