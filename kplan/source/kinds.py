"""What looks like a manifest and is none: files for programs on the user's machine, fragments, templates.

Such documents are left out with a reason; the API server has never heard of them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from operator import itemgetter

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.yamlio.layout import Layout, Slot

NO_MANIFEST: Final = "no apiVersion and kind"
CHART_TEMPLATE: Final = "Helm template, to be rendered first"
TEMPLATE: Final = "template, to be rendered first"

# API groups that only programs on the client read.
_CLIENT_GROUPS: Final = {
    "kustomize.config.k8s.io": "kustomization",
    "builtin": "kustomize transformer",
    "kind.x-k8s.io": "kind cluster configuration",
    "kubeadm.k8s.io": "kubeadm configuration",
    "kubelet.config.k8s.io": "kubelet configuration",
    "kubeproxy.config.k8s.io": "kube-proxy configuration",
    "kubescheduler.config.k8s.io": "scheduler configuration",
    "kubecontrollermanager.config.k8s.io": "controller manager configuration",
    "apiserver.config.k8s.io": "API server configuration",
    "apiserver.k8s.io": "API server configuration",
    "pod-security.admission.config.k8s.io": "API server configuration",
    "audit.k8s.io": "audit policy",
    "client.authentication.k8s.io": "kubectl credentials",
    "kubectl.config.k8s.io": "kubectl configuration",
    "k3d.io": "k3d configuration",
    "ctlptl.dev": "ctlptl configuration",
    "k0sctl.k0sproject.io": "k0sctl configuration",
    "eksctl.io": "eksctl configuration",
    "skaffold": "skaffold configuration",
    "kpt.dev": "kpt configuration",
    "kapp.k14s.io": "kapp configuration",
    "kbld.k14s.io": "kbld configuration",
    "vendir.k14s.io": "vendir configuration",
    "imgpkg.carvel.dev": "imgpkg configuration",
    "backstage.io": "Backstage catalog entity",
    "kuttl.dev": "kuttl test",
    "chainsaw.kyverno.io": "chainsaw test",
    "cli.kyverno.io": "Kyverno test",
    "krew.googlecontainertools.github.com": "krew plugin",
}

_NAMED_GROUP: Final = "install.istio.io"  # what has no name is for the client

_CHART_FILES: Final = ("Chart.yaml", "requirements.yaml")
_VALUES_FILE: Final = lazy(r"(^|[-._])values([-._][^/]*)?\.(ya?ml|json)$", re.IGNORECASE)
_COMPOSE_FILE: Final = lazy(r"^(docker-)?compose\b[^/]*\.ya?ml$", re.IGNORECASE)
KUSTOMIZATION_FILES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def reason(file: str, value: Any, *, directives: bool = True) -> str:
    """Why a document is no manifest for an API server, or "".

    `file` is the path of the file it is in; `directives` whether to look for those of a strategic merge patch.
    """
    if not isinstance(value, dict):
        return "JSON patch" if _is_json_patch(value) else NO_MANIFEST
    is_manifest = "apiVersion" in value and "kind" in value
    name = "" if is_manifest and "metadata" in value else posixpath.basename(file)
    if name in KUSTOMIZATION_FILES and "metadata" not in value:
        return "kustomization"
    if is_manifest:
        why = _client_side(value)
        return "kustomize patch" if not why and directives and _has_patch_directive(value) else why
    if name in _CHART_FILES and ("dependencies" in value or "version" in value):
        return "Helm chart"
    if isinstance(value.get("metadata"), dict) and ("apiVersion" in value or "kind" in value):
        return ""
    return _other_format(name, value)


def reason_of_layout(file: str, layout: Layout, slots: Sequence[Any]) -> str:
    """Why a document without directives is no manifest, or "", given what is in the slots of its layout.

    Where a layout has all that a manifest has, its fields, the apiVersion and the kind decide; they are remembered.
    """
    if "manifests" not in layout.plans:
        places = [layout.tree.get(name) for name in ("apiVersion", "kind")]
        is_usual = "metadata" in layout.tree and all(isinstance(p, Slot) and p.flow < 0 for p in places)
        layout.plans["manifests"] = (itemgetter(*(p.at for p in places)), set()) if is_usual else None
    manifests = layout.plans["manifests"]
    if manifests is not None and (kind := manifests[0](slots)) in manifests[1]:
        return ""
    value = layout.head(slots)
    why = reason(file, value, directives=False)
    if not why and manifests is not None and not str(kind[0]).startswith(_NAMED_GROUP):
        manifests[1].add(kind)
    return why


def _client_side(value: dict[str, Any]) -> str:
    group = str(value["apiVersion"]).rpartition("/")[0]
    if group in _CLIENT_GROUPS:
        return _CLIENT_GROUPS[group]
    if group == _NAMED_GROUP and not _name(value):
        return "istioctl configuration"
    if value["apiVersion"] == "v1":
        if value["kind"] == "Config" and ("clusters" in value or "contexts" in value):
            return "kubeconfig"
        if value["kind"] == "Policy" and ("predicates" in value or "priorities" in value):
            return "scheduler configuration"
    return ""


def _name(value: dict[str, Any]) -> Any:
    metadata = value.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


def _has_patch_directive(value: Any) -> bool:
    """Whether `$patch` or another directive of a strategic merge patch stands anywhere where fields stand."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "$patch" in one or "$retainKeys" in one:
                return True
            if one.get("kind") == "ControllerRevision":
                continue  # a revision of a StatefulSet or DaemonSet is stored as a patch
            waiting += [v for v in one.values() if isinstance(v, (dict, list))]
        else:
            waiting += [v for v in one if isinstance(v, (dict, list))]
    return False


def _is_json_patch(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(step, dict) and {"op", "path"} <= step.keys() for step in value)
    )


def _other_format(name: str, value: dict[str, Any]) -> str:
    if _VALUES_FILE.search(name):
        return "Helm values"
    if isinstance(value.get("services"), dict) and (_COMPOSE_FILE.match(name) or "version" in value):
        return "Docker Compose"
    for key, what in (("openapi", "OpenAPI"), ("swagger", "OpenAPI"), ("$schema", "JSON Schema")):
        if key in value:
            return what
    if isinstance(value.get("jobs"), dict) and "true" in value:  # `on:` is a boolean to kubectl
        return "GitHub workflow"
    return NO_MANIFEST
