"""The charts as Helm 3 and 4 render them, checked by the tools that users check theirs with."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts import manifests
from harness import definitions
from harness.charts import CHART, CRD_CHART, EVERYTHING, FOREIGN, ROOT, SETS, Helm, tool
from localcluster.controlplane import ControlPlane
from voiceroom_api.names import CHAOS_SECRET
from voiceroom_chaosdoor import cli as chaos_cli
from voiceroom_chaosdoor.kube import RIGHTS
from voiceroom_dashboards.boards import acting
from voiceroom_dashboards.boards import document as boards
from voiceroom_dashboards.rules import document
from voiceroom_dashboards.rules.promql import SCRAPE_S
from voiceroom_mixer.clockprobe import cli

Check = Callable[[str], subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.timeout(180)


def objects(text: str) -> list[dict[str, Any]]:
    """Every object of a rendered chart."""
    return [made for made in yaml.safe_load_all(text) if made]


def only(text: str, kind: str) -> dict[str, Any]:
    """The one object of that kind."""
    (found,) = [made for made in objects(text) if made["kind"] == kind]
    return found


def test_lint_finds_nothing(helm: Helm) -> None:
    said = helm.run("lint", "--strict", CHART, CRD_CHART)
    assert "2 chart(s) linted, 0 chart(s) failed" in said


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("replicas=3", "replicas"),
        ("operator.replica=3", "replica"),
        ("operator.replicas=0", "operator/replicas"),
        ("operator.logLevel=loud", "operator/logLevel"),
        ("image.pullPolicy=Sometimes", "image/pullPolicy"),
        ("image.digest=latest", "image/digest"),
        ("scope.namespaces={Not_A_Label}", "scope/namespaces/0"),
        ("defaultPool.realtime.mode=Hard", "defaultPool/realtime/mode"),
        ("defaultPool.sizes.min=1", "sizes"),
        ("defaultPool.network.udpPort=80", "defaultPool/network/udpPort"),
        ("signalling.pool=" + "p" * 49, "signalling/pool"),
        ("tests.timeout=soon", "tests/timeout"),
        ("clockProbe.schedLatency=kprobe", "clockProbe/schedLatency"),
        ("chaos.node.journal=chaos", "chaos/node/journal"),
        ("dashboards.enable=true", "enable"),
        ("dashboards.namespace=Not_A_Label", "dashboards/namespace"),
    ],
)
def test_a_wrong_value_is_refused_and_named(helm: Helm, value: str, words: str) -> None:
    options = ("--kube-version=1.34.4", f"--set={value}")
    said = helm.run("template", "voiceroom", CHART, *options, fails=True)
    assert words in said.replace(".", "/")


@pytest.mark.parametrize(("switch", "missing"), [("ingress", "host"), ("httpRoute", "parentRefs")])
def test_a_route_to_nowhere_is_refused(helm: Helm, switch: str, missing: str) -> None:
    options = ("--kube-version=1.34.4", f"--set={switch}.enabled=true")
    assert f"{switch}.{missing}" in helm.run("template", "v", CHART, *options, fails=True)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_all_objects_fit_the_api_servers_schemas(
    helm: Helm, kubeconform: Check, values: tuple[str, ...]
) -> None:
    done = kubeconform(helm.template(*values))
    assert done.returncode == 0, done.stdout
    assert "Invalid: 0, Errors: 0" in done.stdout


def test_the_schemas_would_find_an_unknown_field(helm: Helm, kubeconform: Check) -> None:
    wrong = helm.template().replace("revisionHistoryLimit:", "revisionHistoryLimits:")
    assert kubeconform(wrong).returncode != 0


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_kube_score_has_nothing_to_say(helm: Helm, values: tuple[str, ...]) -> None:
    command = [str(tool("kube-score")), "score", "--output-format=ci", "-"]
    rendered = helm.template(*values)
    done = subprocess.run(command, input=rendered, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line[:4] in ("[CRI", "[WAR")]
    assert found == []
    assert "[OK]" in done.stdout


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_api_server_takes_every_object(
    helm: Helm, control_plane: ControlPlane, values: tuple[str, ...]
) -> None:
    for namespace in ("voice", "ana", "bob"):
        plain = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"
        control_plane.kubectl("apply", "-f", "-", stdin=plain)
    known = [made for made in objects(helm.template(*values)) if made["kind"] not in FOREIGN]
    accounts = [made for made in known if made["kind"] == "ServiceAccount"]
    # a Pod is refused where its account is not there yet
    control_plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(accounts))
    text = yaml.safe_dump_all(known)
    said = control_plane.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text)
    assert said.count("(server dry run)") == len(known)


def test_the_definitions_are_those_of_the_repository(helm: Helm) -> None:
    kept = objects(helm.template(chart=CRD_CHART))
    for made in kept:
        assert made["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    given = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert kept == given
    assert objects(helm.template("keep=false", chart=CRD_CHART)) == given


def test_a_release_is_installed_upgraded_and_removed(
    helm_at: Helm, control_plane: ControlPlane
) -> None:
    where = ("--namespace=release", "--create-namespace")
    helm_at.run("upgrade", "--install", "crds", CRD_CHART, *where)
    assert "kubectl voiceroom join lobby" in helm_at.run("install", "rooms", CHART, *where)
    helm_at.run("upgrade", "rooms", CHART, *where, "--set=operator.replicas=1")
    query = ("-n", "release", "get", "deployment", "-o", "jsonpath={.items[*].spec.replicas}")
    assert control_plane.kubectl(*query) == "1"
    helm_at.run("uninstall", "rooms", "--namespace=release")
    left = control_plane.kubectl("get", "clusterroles", "-o", "name")
    assert "rooms" not in left
    assert control_plane.kubectl("-n", "release", "get", "deployments,services", "-o", "name") == ""
    helm_at.run("uninstall", "crds", "--namespace=release")
    kept = control_plane.kubectl("get", "crds", "-o", "name")
    assert kept.count("voiceroom.dev") == 2
    definitions.remove(control_plane)
    control_plane.kubectl("delete", "namespace", "release")


def test_without_cluster_rights_nothing_cluster_wide_is_made(helm: Helm) -> None:
    values = ("scope.allNamespaces=false", "scope.readNodes=false", "rbac.aggregate=false")
    kinds = {made["kind"] for made in objects(helm.template(*values))}
    assert not [kind for kind in kinds if kind.startswith("Cluster")]
    assert {"Role", "RoleBinding"} <= kinds


def test_each_watched_namespace_gets_its_role_and_its_mixers_account(helm: Helm) -> None:
    made = objects(helm.template(*EVERYTHING))
    roles = {one["metadata"]["namespace"] for one in made if one["kind"] == "RoleBinding"}
    assert {"ana", "bob"} <= roles
    mixers = [
        one
        for one in made
        if one["kind"] == "ServiceAccount" and one["metadata"]["name"] == "voiceroom-mixer"
    ]
    assert [one["metadata"]["namespace"] for one in mixers] == ["ana", "bob"]
    assert not any(one["automountServiceAccountToken"] for one in mixers)


def test_the_default_pool_reaches_the_operator_as_it_was_given(helm: Helm) -> None:
    rendered = helm.template("defaultPool.size.min=3", "defaultPool.realtime.mode=Exclusive")
    text = only(rendered, "ConfigMap")["data"]["default-pool.yaml"]
    assert yaml.safe_load(text) == {"size": {"min": 3}, "realtime": {"mode": "Exclusive"}}


def test_a_changed_default_pool_restarts_the_operator_and_nothing_else_does(helm: Helm) -> None:
    def mark(*values: str) -> str:
        template = only(helm.template(*values), "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/default-pool"])

    assert mark() != mark("defaultPool.size.min=3")
    assert mark() == mark("podMonitor.enabled=true")


def test_rules_reach_prometheus_as_they_were_made(helm: Helm) -> None:
    switched = ("prometheusRule.enabled=true", "prometheusRule.additionalLabels.release=mine")
    made = only(helm.template(*switched), "PrometheusRule")
    assert made["metadata"]["labels"]["release"] == "mine"
    assert made["spec"] == yaml.safe_load(document.rules_yaml())
    assert "PrometheusRule" not in helm.template()


def test_grafanas_own_alerts_go_to_the_operator_of_this_release(helm: Helm) -> None:
    found = objects(helm.template("dashboards.alerting.enabled=true"))
    (made,) = (one for one in found if "grafana_alert" in one["metadata"]["labels"])
    points = yaml.safe_load(made["data"]["voiceroom-contactpoints.yaml"])
    (receiver,) = points["contactPoints"][0]["receivers"]
    (service,) = (one for one in found if one["kind"] == "Service")
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert receiver["settings"]["url"] == f"http://{host}:8081/alerts"
    rules = yaml.safe_load(made["data"]["voiceroom-rules.yaml"])
    assert rules == yaml.safe_load(acting.files()["rules.yaml"])


def test_alerts_lead_to_the_grafana_that_is_named(helm: Helm) -> None:
    named = (
        "prometheusRule.enabled=true",
        "prometheusRule.grafanaUrl=https://grafana.example.org/",
    )
    rules = only(helm.template(*named), "PrometheusRule")["spec"]["groups"]
    alerts = [rule for group in rules for rule in group["rules"] if "alert" in rule]
    boards = {rule["annotations"]["dashboard_url"].partition("?")[0] for rule in alerts}
    assert all(url.startswith("https://grafana.example.org/d/voiceroom-") for url in boards)


def test_boards_reach_grafanas_sidecar_as_they_were_made(helm: Helm) -> None:
    switched = ("dashboards.enabled=true", "dashboards.namespace=grafana")
    options = (*switched, "dashboards.annotations.folder=Voice")
    found = objects(helm.template(*options))
    maps = [made for made in found if "grafana_dashboard" in made["metadata"]["labels"]]
    assert {made["kind"] for made in maps} == {"ConfigMap"}
    for made in maps:
        assert made["metadata"]["namespace"] == "grafana"
        assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert made["metadata"]["annotations"] == {"folder": "Voice"}
    files = {name: text for made in maps for name, text in made["data"].items()}
    made_here = {f"voiceroom-{name}": text.rstrip() for name, text in boards.texts().items()}
    assert files == made_here
    assert "grafana_dashboard" not in helm.template()


def test_targets_get_the_labels_that_alerts_need(helm: Helm) -> None:
    rendered = helm.template("podMonitor.enabled=true", "serviceMonitor.enabled=true")
    (mixers,) = only(rendered, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert {entry["targetLabel"] for entry in mixers["relabelings"]} == {"node", "pool"}
    assert mixers["interval"] == f"{SCRAPE_S}s"
    (operator,) = only(rendered, "ServiceMonitor")["spec"]["endpoints"]
    assert operator["honorLabels"] is True


@pytest.mark.parametrize(
    ("values", "capabilities", "host_pid"),
    [
        ((), ["BPF", "PERFMON", "KILL", "SYS_NICE"], True),
        (("schedLatency=schedstat",), ["KILL", "SYS_NICE"], True),
        (("schedLatency=none",), ["SYS_NICE"], False),
        (("schedLatency=auto", "fifo=false"), ["BPF", "PERFMON", "KILL"], True),
        (("schedLatency=none", "fifo=false"), [], False),
    ],
)
def test_the_clock_probe_has_no_more_rights_than_what_it_is_asked_for_takes(
    helm: Helm, values: tuple[str, ...], capabilities: list[str], host_pid: bool
) -> None:
    sets = ("clockProbe.enabled=true", *(f"clockProbe.{value}" for value in values))
    pod = only(helm.template(*sets), "DaemonSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["capabilities"].get("add", []) == capabilities
    assert security["capabilities"]["drop"] == ["ALL"]
    assert security["runAsUser"] == (0 if capabilities else 20478)
    assert not security["privileged"]
    assert security["readOnlyRootFilesystem"]
    assert pod.get("hostPID", False) is host_pid
    assert not pod["automountServiceAccountToken"]
    assert not {"hostNetwork", "hostIPC", "volumes"} & set(pod)


def test_the_clock_probe_is_off_by_default_and_started_with_options_that_it_has(
    helm: Helm,
) -> None:
    assert "DaemonSet" not in helm.template()
    made = only(helm.template("clockProbe.enabled=true"), "DaemonSet")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    args = cli.parse(container["args"])
    assert (args.parallel, args.no_fifo, args.sched_latency) == (True, False, "auto")
    assert args.listen.port == container["ports"][0]["containerPort"]


def test_the_clock_probes_scrape_job_has_the_name_that_boards_know(helm: Helm) -> None:
    values = ("clockProbe.enabled=true", "podMonitor.enabled=true")
    rendered = helm.template(*values)
    (monitor,) = [
        made
        for made in objects(rendered)
        if made["kind"] == "PodMonitor" and made["metadata"]["name"].endswith("clock-probe")
    ]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert {"targetLabel": "job", "replacement": "node-timer-drift"} in endpoint["relabelings"]
    labels = only(rendered, "DaemonSet")["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert objects(helm.template("podMonitor.enabled=true")) != objects(rendered)


DOOR = ("chaos.enabled=true", "chaos.node.enabled=true")


def test_the_chaos_door_takes_both_switches(helm: Helm) -> None:
    assert "chaos-door" not in helm.template("chaos.node.enabled=true")
    assert "chaos-door" not in helm.template("chaos.enabled=true")
    made = only(helm.template(*DOOR), "DaemonSet")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    args = chaos_cli.parse(container["args"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"orders": args.listen[1], "metrics": args.metrics[1]}
    assert args.listen[0] == "127.0.0.1"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {args.cgroups, str(Path(args.journal).parent)}
    assert not args.netem


@pytest.mark.parametrize(
    ("values", "capabilities"),
    [((), []), (("chaos.node.netem=true",), ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"])],
)
def test_the_chaos_door_has_no_more_rights_on_the_node_than_its_faults_take(
    helm: Helm, values: tuple[str, ...], capabilities: list[str]
) -> None:
    pod = only(helm.template(*DOOR, *values), "DaemonSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["capabilities"].get("add", []) == capabilities
    assert security["capabilities"]["drop"] == ["ALL"]
    assert not security["privileged"]
    assert not security["allowPrivilegeEscalation"]
    assert security["readOnlyRootFilesystem"]
    assert pod.get("hostPID", False) is bool(capabilities)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    paths = {volume["hostPath"]["path"] for volume in pod["volumes"]}
    assert paths == {"/sys/fs/cgroup", "/var/lib/voiceroom-chaos"}
    assert not {"hostNetwork", "hostIPC"} & set(pod)


@pytest.mark.parametrize(
    ("values", "kind"), [((), "ClusterRole"), (("scope.allNamespaces=false",), "Role")]
)
def test_the_chaos_door_may_do_at_the_api_server_what_it_does_and_nothing_else(
    helm: Helm, values: tuple[str, ...], kind: str
) -> None:
    made = objects(helm.template(*DOOR, *values))
    roles = [one for one in made if one["kind"] in ("Role", "ClusterRole")]
    for scope, kind_of, suffix in (("watched", kind, "door"), ("own", "Role", "door-token")):
        (role,) = [
            one
            for one in roles
            if one["kind"] == kind_of and one["metadata"]["name"].endswith(f"chaos-{suffix}")
        ]
        granted: dict[str, set[str]] = {}
        for rule in role["rules"]:
            (resource,) = rule["resources"]
            granted.setdefault(resource, set()).update(rule["verbs"])
        wanted = {right.resource: set(right.verbs) for right in RIGHTS if right.scope == scope}
        assert granted == wanted
    (named,) = [rule for rule in role["rules"] if "get" in rule["verbs"]]
    assert named["resourceNames"] == [CHAOS_SECRET]


def test_manifests_are_fresh(helm: Helm) -> None:
    for path, text in manifests.rendered(helm.path).items():
        assert objects(path.read_text()) == objects(text), f"{path}: run make generate"


def test_plain_manifests_are_taken_by_the_api_server(control_plane: ControlPlane) -> None:
    folder: Path = manifests.FOLDER
    control_plane.kubectl("apply", "--server-side", "-f", str(folder / "crds.yaml"))
    for name in ("voiceroom.yaml", "voiceroom-namespaced.yaml"):
        said = control_plane.kubectl("apply", "--server-side", "-f", str(folder / name))
        assert "deployment.apps/voiceroom-operator serverside-applied" in said
        control_plane.kubectl("delete", "-f", str(folder / name))
    definitions.remove(control_plane, str(folder / "crds.yaml"))
