"""A real Kubernetes on one Linux machine, from package registries only.

`python -m localcluster up` starts etcd, the control plane and two nodes with their own containerd,
kubelet and kube-proxy; `down` leaves nothing behind. `python -m localcluster control-plane` starts
etcd and the control plane alone, without root. See docs/cluster.md.
"""
