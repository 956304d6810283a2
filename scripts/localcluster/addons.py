"""What every cluster has in it: name service, kube-proxy's rights, a class for real-time pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from localcluster import images, nodeconfig
from localcluster.realtime import HANDLER

Manifest = dict[str, Any]

_LABELS = {"k8s-app": "kube-dns"}
_COREFILE = """\
.:53 {{
    errors
    health
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        ttl 5
    }}
    {forward}
    cache 5
}}
"""


def manifests(resolv_conf: str) -> str:
    """All of it as YAML; `resolv_conf` is the text of this machine's /etc/resolv.conf."""
    return yaml.safe_dump_all([*_rights(), *_dns(resolv_conf), _runtime_class()])


def corefile(resolv_conf: str) -> str:
    """CoreDNS's settings. Names outside the cluster go where this machine asks for them.

    A name server on loopback is out of a pod's reach, and asking nobody is better than that.
    """
    servers = [
        words[1]
        for line in resolv_conf.splitlines()
        if (words := line.split())[:1] == ["nameserver"] and not _is_loopback(words[1])
    ]
    forward = f"forward . {' '.join(servers)}" if servers else ""
    return _COREFILE.format(domain=nodeconfig.CLUSTER_DOMAIN, forward=forward)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _rights() -> list[Manifest]:
    return [
        _binding("kube-proxy", "system:node-proxier", "User", "system:kube-proxy"),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "coredns"},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["services", "pods", "namespaces"],
                    "verbs": ["list", "watch"],
                },
                {
                    "apiGroups": ["discovery.k8s.io"],
                    "resources": ["endpointslices"],
                    "verbs": ["list", "watch"],
                },
            ],
        },
        _binding("coredns", "coredns", "ServiceAccount", "coredns"),
    ]


def _binding(name: str, role: str, kind: str, subject: str) -> Manifest:
    who: Manifest = {"kind": kind, "name": subject}
    if kind == "ServiceAccount":
        who["namespace"] = "kube-system"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [who],
    }


def _dns(resolv_conf: str) -> list[Manifest]:
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata("coredns")},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata("coredns"),
            "data": {"Corefile": corefile(resolv_conf)},
        },
        _dns_deployment(),
        _dns_service(),
    ]


def _metadata(name: str) -> Manifest:
    return {"name": name, "namespace": "kube-system", "labels": _LABELS}


def _dns_deployment() -> Manifest:
    spec = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        # Not the cluster's own name service: that is what starts here.
        "dnsPolicy": "Default",
        "containers": [_dns_container()],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("coredns"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": spec},
        },
    }


def _dns_container() -> Manifest:
    return {
        "name": "coredns",
        "image": images.coredns().name,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        # No CPU: on a machine with two, a node has just one to give, and pods ask for whole ones.
        "resources": {"requests": {"memory": "40Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "timeoutSeconds": 5},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        },
    }


def _dns_service() -> Manifest:
    ports = [
        {"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol}
        for protocol in ("UDP", "TCP")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("kube-dns"),
        "spec": {"clusterIP": nodeconfig.CLUSTER_DNS, "selector": _LABELS, "ports": ports},
    }


def _runtime_class() -> Manifest:
    """`runtimeClassName: real-time` asks for the second handler of the nodes' containerd."""
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": HANDLER},
        "handler": HANDLER,
    }


def host_resolv_conf() -> str:
    """This machine's name servers; empty when it has none."""
    file = Path("/etc/resolv.conf")
    return file.read_text() if file.exists() else ""
