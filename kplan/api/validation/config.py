"""ConfigMap, Secret, ServiceAccount and Namespace. Follows pkg/apis/core/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

MAX_BYTES = 1 << 20
REDACTED = "<secret contents redacted>"
WHEN_IMMUTABLE = "field is immutable when `immutable` is set"
SSH_KEY = "ssh-privatekey"  # alone among the needed keys, it may not be empty either
ACCOUNT_NAME = "kubernetes.io/service-account.name"
# Secret type -> the keys that it needs
NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": (SSH_KEY,),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
JSON_KEYS = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}
FINALIZERS = frozenset(("kubernetes", "orphan", "foregroundDeletion"))


def _config_map(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    total = 0
    for key in sorted(data):
        names.invalid(errors, f"data[{key}]", key, names.config_key(key))
        if key in binary:
            errors.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        total += names.size(data[key])
    for key in sorted(binary):
        names.invalid(errors, f"binaryData[{key}]", key, names.config_key(key))
        total += _decoded_size(binary[key])
    if total > MAX_BYTES:
        errors.too_long("[]", MAX_BYTES)


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text.count("=", -2)


def _config_map_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    if old.get("immutable"):
        _keep_immutable(new, errors)
        for field in ("data", "binaryData"):
            if (new.get(field) or {}) != (old.get(field) or {}):
                errors.forbidden(field, WHEN_IMMUTABLE)
    _config_map(new, errors, context)


def _keep_immutable(new: Value, errors: Errors) -> None:
    if not new.get("immutable"):
        errors.forbidden("immutable", WHEN_IMMUTABLE)


def _secret(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    data = obj.get("data") or {}
    for key in sorted(data):
        names.invalid(errors, f"data[{key}]", key, names.config_key(key))
    if sum(_decoded_size(v or "") for v in data.values()) > MAX_BYTES:
        errors.too_long("data", MAX_BYTES)
    type_ = obj.get("type") or ""
    if type_ == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get(ACCOUNT_NAME):
            errors.required(f"metadata.annotations[{ACCOUNT_NAME}]")
    elif type_ == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        errors.required("data[username]")
        errors.required("data[password]")
    for key in NEEDED.get(type_, ()):
        if key not in data or (key == SSH_KEY and not data[key]):
            errors.required(f"data[{key}]")
        elif key == JSON_KEYS.get(type_):
            _json_object(errors, f"data[{key}]", data[key] or "")


def _json_object(errors: Errors, field: str, encoded: str) -> None:
    from base64 import b64decode

    from kplan.api.validation import gojson

    problem = gojson.object_problem(b64decode(encoded))
    if problem:
        errors.invalid(field, REDACTED, problem)


def _secret_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    if (new.get("type") or "") != (old.get("type") or ""):
        errors.invalid("type", new.get("type") or "", names.IMMUTABLE)
    if old.get("immutable"):
        _keep_immutable(new, errors)
        if (new.get("data") or {}) != (old.get("data") or {}):
            errors.forbidden("data", WHEN_IMMUTABLE)
    _secret(new, errors, context)


def _service_account(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)


def _service_account_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _service_account(new, errors, context)


def _namespace(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
        problems = names.qualified_name(finalizer)
        names.invalid(errors, "spec.finalizers", finalizer, problems)
        if not ("/" in finalizer or finalizer in FINALIZERS):
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            errors.invalid("spec.finalizers", finalizer, detail)


def _namespace_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _namespace(new, errors, context)
    metadata.update(new, old, errors)


CREATE = {
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("", "ServiceAccount"): _service_account,
    ("", "Namespace"): _namespace,
}
UPDATE = {
    ("", "ConfigMap"): _config_map_update,
    ("", "Secret"): _secret_update,
    ("", "ServiceAccount"): _service_account_update,
    ("", "Namespace"): _namespace_update,
}
