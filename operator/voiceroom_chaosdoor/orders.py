"""``/v1/pods/NAMESPACE/POD/chaos``: POST begins, GET shows, DELETE ends."""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_chaosdoor import order, target
from voiceroom_chaosdoor.bearer import Bearer
from voiceroom_chaosdoor.desk import Desk
from voiceroom_chaosdoor.kube import Kube, KubeError
from voiceroom_chaosdoor.listeners import Answer, Request, refused, said
from voiceroom_chaosdoor.refusal import Refused


@dataclass(frozen=True)
class Orders:
    """Whoever has the token."""

    desk: Desk
    bearer: Bearer
    kube: Kube
    node: str

    def serve(self, request: Request) -> Answer:
        """Never raises."""
        try:
            return self._serve(request)
        except Refused as error:
            return refused(error)

    def _serve(self, request: Request) -> Answer:
        if not self.bearer.fits(request.authorization):
            raise Refused(401, "unauthorized", "the bearer token of the doors is needed")
        namespace, pod = request.place()
        if request.method == "POST":
            wanted = order.read(request.document())
            return said(201, self.desk.begin(wanted, self._target(namespace, pod)))
        if request.method == "DELETE":
            return said(200, self.desk.end(namespace, pod))
        return said(200, self.desk.document(namespace, pod))

    def _target(self, namespace: str, pod: str) -> target.Target:
        try:
            found = self.kube.pod(namespace, pod)
        except KubeError as error:
            status = error.status if error.status in (403, 404) else 503
            raise Refused(status, "no_pod", str(error)) from error
        return target.read(found, self.node)
