"""Every file of the charts and their docs that is made from others."""

from __future__ import annotations

from pathlib import Path

from charts import install, manifests, schema
from charts.values import ROOT
from localcluster import build

_CRD_CHART = ROOT / "charts" / "voiceroom-crds" / "files"


def files() -> dict[Path, str]:
    """Path and text. The manifests that Helm renders are left out where Helm was not built yet:
    ``python -m localcluster build helm3`` builds it."""
    found = {schema.PATH: schema.schema_text(), install.PATH: install.page()}
    for path in (ROOT / "crds").glob("*.yaml"):
        found[_CRD_CHART / path.name] = path.read_text(encoding="utf-8")
    found[manifests.FOLDER / "crds.yaml"] = manifests.crds()
    helm = build.built("helm3")
    return found if helm is None else found | manifests.rendered(helm)
