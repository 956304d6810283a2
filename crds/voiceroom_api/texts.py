"""Strings that Kubernetes has rules for: names, keys, labels, addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from voiceroom_api.names import GROUP
from voiceroom_api.rules import Entries, Relation, Text

DNS_LABEL: Final = Text(
    "must be a DNS label: 1 to 63 of a-z, 0-9 and -, not - at either end",
    high=63,
    pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
)
OBJECT_KEY: Final = "^[-._a-zA-Z0-9]+$"
_OBJECT_NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_LABEL_KEY: Final = (
    "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
_OWN_PREFIX: Final = f"{GROUP}/"


def worded(words: str, high: int, pattern: str) -> Text:
    """A rule with a CEL rule in place of the ``pattern``, which is refused without words."""

    def holds(text: str) -> bool:
        return re.search(pattern.replace("$", r"\Z"), text) is not None

    return Text(words, high, relations=(Relation(f"self.matches(r'{pattern}')", words, holds),))


def object_name(what: str) -> Text:
    """The rule for a reference to ``what``, such as "a Secret", by name."""
    words = f"must be the name of {what}: 1 to 253 of a-z, 0-9, - and ."
    return Text(words, high=253, pattern=_OBJECT_NAME)


def object_key(of: str) -> Text:
    """The rule for a key of ``of``, such as "the Secret"."""
    return Text(
        f"must be a key of {of}: 1 to 253 of A-Z, a-z, 0-9, -, _ and .",
        high=253,
        pattern=OBJECT_KEY,
    )


LABEL_KEY: Final = Text(
    "must be the key of a label, such as kubernetes.io/hostname", high=317, pattern=_LABEL_KEY
)
LABEL_VALUE: Final = Text(
    "must be the value of a label: at most 63 of A-Z, a-z, 0-9, -, _ and .",
    low=0,
    high=63,
    pattern="^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
)


def _keys_are_good(entries: Mapping[str, str]) -> bool:
    pattern = _LABEL_KEY.replace("$", r"\Z")
    return all(re.search(pattern, key) for key in entries)


def _keys_are_not_ours(entries: Mapping[str, str]) -> bool:
    return not any(key.startswith(_OWN_PREFIX) for key in entries)


KEYS_ARE_GOOD: Final = Relation(
    f"self.all(k, k.matches('{_LABEL_KEY}'))",
    "keys must be as in kubernetes.io/hostname: a prefix with / or none, then 1 to 63 of A-Z, "
    "a-z, 0-9, -, _ and .",
    _keys_are_good,
)
KEYS_ARE_NOT_OURS: Final = Relation(
    f"self.all(k, !k.startsWith('{_OWN_PREFIX}'))",
    f"keys that begin with {_OWN_PREFIX} are the operator's",
    _keys_are_not_ours,
)
LABELS: Final = Entries(LABEL_VALUE, high=32, relations=(KEYS_ARE_GOOD,))
POD_LABELS: Final = Entries(LABEL_VALUE, high=32, relations=(KEYS_ARE_GOOD, KEYS_ARE_NOT_OURS))
POD_ANNOTATIONS: Final = Entries(
    Text("must be a string of at most 4096 characters", low=0, high=4096),
    high=32,
    relations=(KEYS_ARE_GOOD, KEYS_ARE_NOT_OURS),
)


def is_address(text: str) -> bool:
    """Whether it is an IP address; as in Kubernetes, no zone and no IPv4 in IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text and getattr(address, "ipv4_mapped", None) is None


def _is_cidr(text: str) -> bool:
    """As in Kubernetes; Python's ``ipaddress`` takes more, such as masks instead of lengths."""
    address, _, length = text.partition("/")
    whole = re.search(r"^(0|[1-9][0-9]{0,2})\Z", length) is not None
    return is_address(address) and whole and int(length) <= (128 if ":" in address else 32)


_CIDR_WORDS: Final = "must be a network such as 10.0.0.0/8 or fc00::/7"
CIDR: Final = Text(
    _CIDR_WORDS, high=43, relations=(Relation("isCIDR(self)", _CIDR_WORDS, _is_cidr),)
)
