"""APIServices. Follows kube-aggregator/pkg/apis/apiregistration/validation/validation.go."""

from __future__ import annotations

from binascii import a2b_base64

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "apiregistration.k8s.io"
MAX_GROUP_PRIORITY, MAX_VERSION_PRIORITY = 20_000, 1_000


def _create(obj: Value, errors: Errors, context: Context) -> None:
    spec: Value = obj.get("spec") or {}
    required = f"{spec.get('version') or ''}.{spec.get('group') or ''}"

    def named(name: str) -> names.Messages:
        problems = names.path_segment(name)
        return problems or (
            names.OK if name == required else (f'must be `spec.version+"."+spec.group`: {_quoted(required)}',)
        )

    metadata.create(obj, errors, context, rule=named)
    _body(spec, errors)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _body(spec: Value, errors: Errors) -> None:
    group, version = spec.get("group") or "", spec.get("version") or ""
    if not group:
        if version != "v1":
            errors.required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    else:
        names.invalid(errors, "spec.group", group, names.dns1123_subdomain(group))
    names.invalid(errors, "spec.version", version, names.dns1035_label(version))
    _priorities(spec, errors)
    service = spec.get("service")
    if service is None:
        if spec.get("caBundle"):
            size = len(a2b_base64(spec["caBundle"]))
            errors.invalid("spec.caBundle", f"{size} bytes", "local APIServices may not have a caBundle")
        if spec.get("insecureSkipTLSVerify"):
            detail = "local APIServices may not have insecureSkipTLSVerify"
            errors.invalid("spec.insecureSkipTLSVerify", True, detail)
        return
    for field in ("namespace", "name"):
        if not service.get(field):
            errors.required(f"spec.service.{field}")
    port = service.get("port")
    if port is not None and names.port_number(port):
        errors.invalid("spec.service.port", port, f"port is not valid: {names.port_number(port)[0]}")
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        detail = "may not be true if caBundle is present"
        errors.invalid("spec.insecureSkipTLSVerify", True, detail)


def _priorities(spec: Value, errors: Errors) -> None:
    for field, limit in (("groupPriorityMinimum", MAX_GROUP_PRIORITY), ("versionPriority", MAX_VERSION_PRIORITY)):
        value = spec.get(field) or 0
        if not 0 < value <= limit:
            errors.invalid(f"spec.{field}", value, f"must be positive and less than {limit}")


def _update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _create(new, errors, context)


CREATE = {(GROUP, "APIService"): _create}
UPDATE = {(GROUP, "APIService"): _update}
