"""Parts of a pod's specification that a MixerPool hands on, spelled as in a Pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from voiceroom_api.quantity import parse_quantity
from voiceroom_api.rules import Entries, Items, Opaque, Quantity, Relation, Section, Text, Whole
from voiceroom_api.texts import LABEL_KEY, LABEL_VALUE, LABELS, object_key, object_name

_CPU: Final = Quantity("^([0-9]{1,5}([.][0-9]{1,3})?|[0-9]{1,8}m)$", "10m", '500m, "2" or "1.5"')
_MEMORY: Final = Quantity(
    "^([0-9]{1,15}|[0-9]{1,9}([.][0-9]{1,3})?([kMGT]|[KMGT]i))$", "64Mi", "512Mi or 2Gi"
)


@dataclass(frozen=True, slots=True)
class LocalRef:
    """An object of the same namespace."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    name: Annotated[str, object_name("a Secret")]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the mixer's container may use."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    cpu: Annotated[str, _CPU] = "1"
    memory: Annotated[str, _MEMORY] = "512Mi"


@dataclass(frozen=True, slots=True)
class Requests:
    """What is set aside for it; unset = the limit, as in a Pod."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    cpu: Annotated[str, _CPU] | None = None
    memory: Annotated[str, _MEMORY] | None = None


def _at_most(resource: str) -> Relation:
    request, limit = f"self.requests.{resource}", f"self.limits.{resource}"

    def holds(resources: Resources) -> bool:
        request = getattr(resources.requests, resource)
        limit = getattr(resources.limits, resource)
        return request is None or parse_quantity(request) <= parse_quantity(limit)

    return Relation(
        f"!has({request}) || quantity(string({request})).compareTo(quantity(string({limit}))) <= 0",
        f"requests.{resource} must not be greater than limits.{resource}",
        holds,
    )


@dataclass(frozen=True, slots=True)
class Resources:
    """Of the mixer's container."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (_at_most("cpu"), _at_most("memory"))
    limits: Limits = field(default_factory=Limits)
    requests: Requests = field(default_factory=Requests)


@dataclass(frozen=True, slots=True)
class Affinity:
    """Kubernetes checks what is in them when it takes the pod."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    node_affinity: Annotated[Mapping[str, Any], Opaque()] | None = None
    pod_affinity: Annotated[Mapping[str, Any], Opaque()] | None = None
    pod_anti_affinity: Annotated[Mapping[str, Any], Opaque()] | None = None


@dataclass(frozen=True, slots=True)
class Toleration:
    """Lets the pods onto nodes with a taint."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "has(self.key) || self.operator == 'Exists'",
            "without a key, operator must be Exists",
            lambda self: self.key is not None or self.operator == "Exists",
        ),
        Relation(
            "self.operator == 'Equal' || !has(self.value) || self.value == ''",
            "value goes with operator Equal only",
            lambda self: self.operator == "Equal" or not self.value,
        ),
        Relation(
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds goes with effect NoExecute only",
            lambda self: self.toleration_seconds is None or self.effect == "NoExecute",
        ),
    )
    key: Annotated[str, LABEL_KEY] | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: Annotated[str, LABEL_VALUE] | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Whole(0, 86_400)] | None = None


@dataclass(frozen=True, slots=True)
class MatchExpression:
    """One requirement of a label selector."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
            "operators In and NotIn need values, the others take none",
            lambda self: (self.operator in ("In", "NotIn")) == bool(self.values),
        ),
    )
    key: Annotated[str, LABEL_KEY]
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Annotated[tuple[str, ...], Items(LABEL_VALUE, 16)] = ()


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of it must hold."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    match_labels: Annotated[Mapping[str, str], LABELS] = field(default_factory=dict)
    match_expressions: Annotated[
        tuple[MatchExpression, ...], Items(Section(MatchExpression), 16)
    ] = ()


@dataclass(frozen=True, slots=True)
class TopologySpread:
    """How evenly pods are spread over zones or nodes."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'",
            "minDomains goes with whenUnsatisfiable DoNotSchedule only",
            lambda self: self.min_domains is None or self.when_unsatisfiable == "DoNotSchedule",
        ),
    )
    max_skew: Annotated[int, Whole(1, 1000)]
    topology_key: Annotated[str, LABEL_KEY]
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    match_label_keys: Annotated[tuple[str, ...], Items(LABEL_KEY, 8)] = ()
    min_domains: Annotated[int, Whole(1, 1000)] | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None


@dataclass(frozen=True, slots=True)
class ConfigMapKeyRef:
    """A key of a ConfigMap of the same namespace."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    name: Annotated[str, object_name("a ConfigMap")]
    key: Annotated[str, object_key("the ConfigMap")]
    optional: bool | None = None


@dataclass(frozen=True, slots=True)
class SecretKeyRef:
    """A key of a Secret of the same namespace."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    name: Annotated[str, object_name("a Secret")]
    key: Annotated[str, object_key("the Secret")]
    optional: bool | None = None


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field of the pod."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    field_path: Annotated[str, Text("must be a field such as spec.nodeName", high=512)]
    api_version: Literal["v1"] | None = None


@dataclass(frozen=True, slots=True)
class ResourceFieldRef:
    """A request or limit of the mixer's container."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    resource: Literal["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]


@dataclass(frozen=True, slots=True)
class EnvVarSource:
    """Where a value comes from."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "[has(self.configMapKeyRef), has(self.fieldRef), has(self.resourceFieldRef), "
            "has(self.secretKeyRef)].exists_one(given, given)",
            "exactly one of configMapKeyRef, fieldRef, resourceFieldRef and secretKeyRef",
            lambda self: self.given == 1,
        ),
    )
    config_map_key_ref: ConfigMapKeyRef | None = None
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None
    secret_key_ref: SecretKeyRef | None = None

    @property
    def given(self) -> int:
        """How many sources are named."""
        sources = (
            self.config_map_key_ref,
            self.field_ref,
            self.resource_field_ref,
            self.secret_key_ref,
        )
        return sum(source is not None for source in sources)


@dataclass(frozen=True, slots=True)
class EnvVar:
    """One environment variable of the mixer."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "!has(self.value) || !has(self.valueFrom)",
            "value and valueFrom exclude each other",
            lambda self: self.value is None or self.value_from is None,
        ),
    )
    name: Annotated[
        str,
        Text(
            "must be the name of a variable: 1 to 253 of A-Z, a-z, 0-9, -, _ and ., no digit first",
            high=253,
            pattern="^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        ),
    ]
    value: (
        Annotated[str, Text("must be a string of at most 4096 characters", low=0, high=4096)] | None
    ) = None
    value_from: EnvVarSource | None = None


NODE_SELECTOR: Final[Entries] = LABELS
PULL_SECRETS: Final = Items(Section(LocalRef), 16, unique=("name",))
TOLERATIONS: Final = Items(Section(Toleration), 32)
TOPOLOGY_SPREAD: Final = Items(
    Section(TopologySpread), 8, unique=("topologyKey", "whenUnsatisfiable")
)
ENV: Final = Items(Section(EnvVar), 64, unique=("name",))
