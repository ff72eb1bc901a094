"""Admission plugins: what the API server changes in, or refuses of, a well-formed object.

Only the plugins that kube-apiserver runs by default, in its order (pkg/kubeapiserver/options/plugins.go). A plugin is
a module with `mutate(obj, request)`, which may change `obj` in place, or `validate(obj, request)`; both may raise
`Refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from kplan.api.request import Request
from kplan.hints import Any

Value = dict[str, Any]
Plugin = Callable[[Value, Request], None]

ANY = "*"
# plugin module -> kinds it looks at
MUTATING: Mapping[str, tuple[str, ...]] = {
    "namespaces": (ANY,),
    "limits": ("Pod",),
    "serviceaccounts": ("Pod",),
    "nodes": ("Node",),
    "priority": ("Pod", "PriorityClass"),
    "tolerations": ("Pod",),
    "storageclasses": ("PersistentVolumeClaim",),
    "protection": ("PersistentVolumeClaim", "PersistentVolume", "VolumeAttributesClass"),
    "runtimeclasses": ("Pod",),
    "ingressclasses": ("Ingress",),
}
VALIDATING: Mapping[str, tuple[str, ...]] = {
    "limits": ("Pod", "PersistentVolumeClaim"),
    "serviceaccounts": ("Pod",),
    "podsecurity": ("Pod", "Namespace"),
    "runtimeclasses": ("Pod",),
    "resize": ("PersistentVolumeClaim",),
    "policies": (ANY,),
    "quota": (ANY,),
}

# Those that only ask what the cluster holds: without one they are not even loaded.
OF_A_CLUSTER = frozenset(("namespaces", "policies", "quota"))


def mutate(obj: Value, request: Request) -> Value:
    """The object after all mutating plugins, and then the cluster's mutating policies; raises Refused."""
    plugins = partial(_run, "mutate", obj, request)
    plugins()
    if request.store is not None and next(request.store.all("MutatingAdmissionPolicy"), None) is not None:
        from kplan.api.admission import mutations

        mutations.mutate(obj, request, plugins)
    return obj


def validate(obj: Value, request: Request) -> Value:
    """The object itself, if no validating plugin refuses it; raises Refused."""
    _run("validate", obj, request)
    return obj


def _run(phase: str, obj: Value, request: Request) -> None:
    for plugin in _plugins(phase, request.kind, request.store is not None):
        plugin(obj, request)


@cache
def _plugins(phase: str, kind: str, in_cluster: bool) -> tuple[Plugin, ...]:
    """The plugins that look at the objects of a kind; they are loaded when the first of these is met."""
    table = MUTATING if phase == "mutate" else VALIDATING
    names = [name for name, kinds in table.items() if kind in kinds or ANY in kinds]
    found = (_module(name, phase) for name in names if in_cluster or name not in OF_A_CLUSTER)
    return tuple(getattr(module, phase) for module in found)


def _module(name: str, phase: str) -> Any:
    return __import__(f"kplan.api.admission.{name}", fromlist=[phase])  # importlib takes longer to load
