"""ServiceAccount: every pod runs as one, and gets its token unless somebody says no.

Follows plugin/pkg/admission/serviceaccount/admission.go. The volume's random name ends in five x's of the server's
alphabet, so that a plan is the same twice.
"""

from __future__ import annotations

from kplan.api.request import CREATE, Request
from kplan.api.validation.names import dns1123_subdomain, path_segment
from kplan.hints import Any

Value = dict[str, Any]

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, no secret
TOKEN_PREFIX = "kube-api-access-"  # noqa: S105 - a name, no secret
MIRROR = "kubernetes.io/config.mirror"


def mutate(obj: Value, request: Request) -> None:
    """Fill in the service account, its pull secrets and the token volume."""
    if request.operation != CREATE or MIRROR in ((obj.get("metadata") or {}).get("annotations") or {}):
        return
    spec: Value = obj["spec"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = _account(name, request)
    if _wants_token(spec, account):
        _mount_token(spec)
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(s) for s in account["imagePullSecrets"]]


def validate(obj: Value, request: Request) -> None:
    """Refuse a pod that uses secrets which its account does not allow."""
    if request.operation != CREATE or request.store is None:
        return
    account = request.store.find("ServiceAccount", obj["spec"].get("serviceAccountName") or "", request.namespace)
    if account is None or "annotations" not in account["metadata"]:
        return
    from kplan.api.admission.mountablesecrets import fault

    why = fault(obj, account)
    if why:
        raise request.forbidden(why)


def _account(name: str, request: Request) -> Value:
    found = request.store.find("ServiceAccount", name, request.namespace) if request.store else None
    # The account `default` is made by a controller as soon as the namespace is there; none has a name that is no name.
    if found is None and name != "default" and (request.is_closed or dns1123_subdomain(name)):
        wrong = path_segment(name)
        why = f'invalid resource name "{name}": [{", ".join(wrong)}]' if wrong else f'serviceaccount "{name}" not found'
        raise request.forbidden(f"error looking up service account {request.namespace}/{name}: {why}")
    return found or {}


def _wants_token(spec: Value, account: Value) -> bool:
    own = spec.get("automountServiceAccountToken")
    return own if own is not None else account.get("automountServiceAccountToken") is not False


def _mount_token(spec: Value) -> None:
    volumes = spec.get("volumes") or []
    name = next((v["name"] for v in volumes if v.get("name", "").startswith(TOKEN_PREFIX)), None)
    added = name or f"{TOKEN_PREFIX}xxxxx"
    used = False
    for c in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        mounts = c.get("volumeMounts") or []
        if any(m.get("mountPath") == TOKEN_PATH for m in mounts):
            continue
        c["volumeMounts"] = [*mounts, {"name": added, "readOnly": True, "mountPath": TOKEN_PATH}]
        used = True
    if used and name is None:
        spec["volumes"] = [*volumes, _token_volume(added)]


def _token_volume(name: str) -> Value:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[Value] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"defaultMode": 420, "sources": sources}}
