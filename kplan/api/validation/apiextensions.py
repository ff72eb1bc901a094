"""CustomResourceDefinitions.

Follows apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go. The server validates its internal form,
in which what all versions have in common stands once: that is where paths such as spec.validation come from.
"""

from __future__ import annotations

from kplan.api.validation import Context, crdrules, crdschema, metadata, names, webhookclient
from kplan.api.validation.expressions import text_of
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.hints import Any
from kplan.workloads import get

Value = dict[str, Any]

GROUP, KIND = "apiextensions.k8s.io", "CustomResourceDefinition"
_COLUMN_TYPES = "boolean,date,integer,number,string"
_COLUMN_FORMATS = "byte,date,date-time,double,float,int32,int64,password"
_MOST_FIELDS, _LONGEST_WARNING = 8, 256
_SELECTABLE = ("string", "boolean", "integer")
_MIXED_CASE = "may have mixed case, but should otherwise match: "


def _create(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context, rule=_name_rule(obj))
    versions = _versions(obj)
    stored = list(dict.fromkeys(text_of(v, "name") for v in versions if v.get("storage") is True))
    _judge(obj, errors, context, stored or None, {})
    _preserve(obj, errors)
    _approval(obj, errors)


def _update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    stored = (new.get("status") or {}).get("storedVersions") or (old.get("status") or {}).get("storedVersions")
    names_now = [text_of(v, "name") for v in _versions(new) if v.get("storage") is True]
    before = {text_of(v, "name"): _schema_of(v) for v in _versions(old)}
    _judge(new, errors, context, list(dict.fromkeys([*(stored or ()), *names_now])) or None, before)
    if _established(old):
        _immutable(new, old, errors, ("spec.scope", "spec.names.kind"))
    _immutable(new, old, errors, ("spec.group", "spec.names.plural"))
    if (old.get("spec") or {}).get("preserveUnknownFields") is not True:
        _preserve(new, errors)


def _established(obj: Value) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions)


def _immutable(new: Value, old: Value, errors: Errors, paths: tuple[str, ...]) -> None:
    for path in paths:
        value = get(new, *path.split("."))
        if value != get(old, *path.split(".")):
            errors.invalid(path, value, names.IMMUTABLE)


def _versions(obj: Value) -> list[Value]:
    return [v or {} for v in (obj.get("spec") or {}).get("versions") or ()]


def _name_rule(obj: Value) -> names.Check:
    spec = obj.get("spec") or {}
    wanted = f"{text_of(spec.get('names') or {}, 'plural')}.{text_of(spec, 'group')}"

    def check(name: str) -> names.Messages:
        found = names.dns1123_subdomain(name)
        return found if name == wanted else (*found, 'must be spec.names.plural+"."+spec.group')

    return check


def _judge(
    obj: Value, errors: Errors, context: Context, stored: list[str] | None, before: dict[str, Value | None]
) -> None:
    """The rules for a definition; `before` are the schemas of the versions that it had until now."""
    spec, versions = obj.get("spec") or {}, _versions(obj)
    _group(text_of(spec, "group"), errors, "spec.group")
    if not text_of(spec, "scope"):
        errors.required("spec.scope")
    else:
        errors.one_of("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    preserves = spec.get("preserveUnknownFields") is True
    if preserves and any(_has_default(_schema_of(v)) for v in versions):
        detail = "must be false in order to use defaults in the schema"
        errors.invalid("spec.preserveUnknownFields", True, detail)
    _each_version(versions, errors, context, before)
    if len({text_of(v, "name") for v in versions}) < len(versions):
        errors.invalid("spec.versions", _internal(spec), "must contain unique version names")
    if sum(v.get("storage") is True for v in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        errors.invalid("spec.versions", _internal(spec), detail)
    if versions and text_of(versions[0], "name"):
        first = text_of(versions[0], "name")
        _joined(first, errors, "spec.version", names.dns1035_label(first))
    _names(spec.get("names") or {}, errors, "spec.names")
    _conversion(spec.get("conversion"), errors, "spec.conversion", preserves=preserves)
    _stored(stored, versions, errors, "status.storedVersions")


def _joined(value: str, errors: Errors, at: str, wrong: names.Messages, prefix: str = "") -> None:
    if wrong:
        errors.invalid(at, value, prefix + ",".join(wrong))


def _group(group: str, errors: Errors, at: str) -> None:
    if not group:
        errors.required(at)
    elif wrong := names.dns1123_subdomain(group):
        _joined(group, errors, at, wrong)
    elif "." not in group:
        errors.invalid(at, group, "should be a domain with at least one dot")


def _schema_of(version: Value) -> Value | None:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _has_default(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_has_default, schema))
    if not isinstance(schema, dict):
        return False
    inner = (v for k, v in schema.items() if k not in ("properties", "default", "example", "enum"))
    properties = (schema.get("properties") or {}).values()
    return schema.get("default") is not None or any(map(_has_default, (*inner, *properties)))


def _each_version(versions: list[Value], errors: Errors, context: Context, before: dict[str, Value | None]) -> None:
    for i, version in enumerate(versions):
        if not isinstance(_schema_of(version), dict):
            errors.required(f"spec.versions[{i}].schema.openAPIV3Schema")
    shared = _shared(versions)
    for i, version in enumerate(versions):
        name = text_of(version, "name")
        _joined(name, errors, f"spec.versions[{i}].name", names.dns1035_label(name))
        _deprecation(version, errors, f"spec.versions[{i}].deprecationWarning")
        own = {part: f"spec.versions[{i}].{part}" for part in _SHARED if part not in shared}
        _version(version, errors, own, context, before)
    common = {part: f"spec.{'validation' if part == 'schema' else part}" for part in shared}
    _version(versions[0] if versions else {}, errors, common, context, before)


# The parts of a version that the internal form holds once for all of them, if they are the same.
_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def _part(version: Value, part: str) -> Any:
    return version.get(part) or None


def _shared(versions: list[Value]) -> set[str]:
    return {part for part in _SHARED if versions and all(_part(v, part) == _part(versions[0], part) for v in versions)}


def _internal(spec: Value) -> list[Value] | None:
    """The versions as messages show them."""
    if spec.get("versions") is None:
        return None
    versions = [v or {} for v in spec["versions"]]
    shared = _shared(versions)
    kept = ({k: v for k, v in version.items() if k not in shared} for version in versions)
    return [internal(version, "CustomResourceDefinitionVersion") for version in kept]


def _version(
    version: Value, errors: Errors, places: dict[str, str], context: Context, before: dict[str, Value | None]
) -> None:
    """The parts of a version that stand at `places`."""
    schema, subresources = _schema_of(version), version.get("subresources") or {}
    if "schema" in places and isinstance(schema, dict):
        has_status = subresources.get("status") is not None
        at = f"{places['schema']}.openAPIV3Schema"
        stored = before.get(text_of(version, "name")) == schema
        crdschema.schema(schema, errors, at, has_status=has_status, minor=context.minor, stored=stored)
    if "subresources" in places and subresources.get("scale") is not None:
        _scale(subresources["scale"], errors, f"{places['subresources']}.scale")
    for i, column in enumerate(version.get("additionalPrinterColumns") or ()):
        if "additionalPrinterColumns" in places:
            _column(column or {}, errors, f"{places['additionalPrinterColumns']}[{i}]")
    if "selectableFields" in places and version.get("selectableFields"):
        _selectable(version["selectableFields"], schema, errors, places["selectableFields"])


def _deprecation(version: Value, errors: Errors, at: str) -> None:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    if version.get("deprecated") is not True:
        errors.invalid(at, warning, "can only be set for deprecated versions")
    if len(warning) > _LONGEST_WARNING:
        errors.invalid(at, warning, f"must be <= {_LONGEST_WARNING} characters long")
    if not warning:
        errors.invalid(at, warning, "must not be an empty string")
    odd = next((i for i, c in enumerate(warning) if not c.isprintable()), None)
    if odd is not None:
        detail = f"must only contain printable UTF-8 characters; non-printable character found at index {odd}"
        errors.invalid(at, warning, detail)


def _scale(scale: Value, errors: Errors, at: str) -> None:
    for name, prefixes in (
        ("specReplicasPath", (".spec.",)),
        ("statusReplicasPath", (".status.",)),
        ("labelSelectorPath", (".status.", ".spec.")),
    ):
        path = text_of(scale, name)
        if not path:
            if name != "labelSelectorPath":
                errors.required(f"{at}.{name}")
        elif path[0] != ".":
            errors.invalid(f"{at}.{name}", path, "must be a simple json path starting with .")
        elif not path.startswith(prefixes):
            where = " or ".join(p.rstrip(".") for p in prefixes)
            either = "either " if len(prefixes) > 1 else ""
            errors.invalid(f"{at}.{name}", path, f"should be a json path under {either}{where}")


def _column(column: Value, errors: Errors, at: str) -> None:
    if not text_of(column, "name"):
        errors.required(f"{at}.name")
    kind, form, path = text_of(column, "type"), text_of(column, "format"), text_of(column, "jsonPath")
    if not kind:
        errors.required(f"{at}.type", f"must be one of {_COLUMN_TYPES}")
    elif kind not in _COLUMN_TYPES.split(","):
        errors.invalid(f"{at}.type", kind, f"must be one of {_COLUMN_TYPES}")
    if form and form not in _COLUMN_FORMATS.split(","):
        errors.invalid(f"{at}.format", form, f"must be one of {_COLUMN_FORMATS}")
    if not path:
        errors.required(f"{at}.JSONPath")
    elif path[0] != ".":
        errors.invalid(f"{at}.JSONPath", path, "must be a simple json path starting with .")


def _selectable(fields: list[Value | None], schema: Value | None, errors: Errors, at: str) -> None:
    if not isinstance(schema, dict):
        errors.invalid(at, "", "may only be set when `version.schema.openAPIV3Schema` is not included")
        return
    seen: set[tuple[str, ...]] = set()
    for i, field in enumerate(f or {} for f in fields):
        path = text_of(field, "jsonPath")
        if not path:
            errors.required(f"{at}[{i}].jsonPath")
            continue
        found, steps = crdrules.field_schema(schema, path, arrays=False, root=True)
        if found is None or isinstance(steps, str):
            errors.invalid(f"{at}[{i}].jsonPath", path, f"is an invalid path: {steps}")
            continue
        if steps[0] == "metadata":
            errors.invalid(f"{at}[{i}].jsonPath", path, "must not point to fields in metadata")
        if found.get("type") not in _SELECTABLE:
            kinds = "must point to a field of type string, boolean or integer. "
            detail = f"{kinds}Enum string fields and strings with formats are allowed."
            errors.invalid(f"{at}[{i}].jsonPath", path, detail)
        if steps in seen:
            errors.duplicate(f"{at}[{i}].jsonPath", path)
        seen.add(steps)
    if len(seen) > _MOST_FIELDS:
        errors.too_many(at, len(seen), _MOST_FIELDS)


def _names(value: Value, errors: Errors, at: str) -> None:
    kind, list_kind = text_of(value, "kind"), text_of(value, "listKind")
    for name in ("plural", "singular", "kind", "listKind"):
        if not text_of(value, name):
            errors.required(f"{at}.{name}")
    for name in ("plural", "singular"):
        text = text_of(value, name)
        if text:
            _joined(text, errors, f"{at}.{name}", names.dns1035_label(text))
    for name, text in (("kind", kind), ("listKind", list_kind)):
        if text:
            _joined(text, errors, f"{at}.{name}", names.dns1035_label(text.lower()), _MIXED_CASE)
    for name in ("shortNames", "categories"):
        for i, text in enumerate(t or "" for t in value.get(name) or ()):
            _joined(text, errors, f"{at}.{name}[{i}]", names.dns1035_label(text))
    if kind and kind == list_kind:
        errors.invalid(f"{at}.listKind", list_kind, "kind and listKind may not be the same")


def _conversion(value: Value | None, errors: Errors, at: str, *, preserves: bool) -> None:
    if value is None:
        return
    strategy, webhook = text_of(value, "strategy"), value.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or ()
    if preserves and strategy != "None":
        errors.invalid(f"{at}.strategy", strategy, "must be None if spec.preserveUnknownFields is true")
    if not strategy:
        errors.required(f"{at}.strategy")
    else:
        errors.one_of(f"{at}.strategy", strategy, ("None", "Webhook"))
    if strategy == "Webhook":
        if config is None:
            errors.required(f"{at}.webhookClientConfig", "required when strategy is set to Webhook")
        else:
            webhookclient.client_config(config, errors, f"{at}.webhookClientConfig")
        webhookclient.review_versions(versions, errors, f"{at}.conversionReviewVersions", needed="")
        return
    for name, given in (("webhookClientConfig", config is not None), ("conversionReviewVersions", bool(versions))):
        if given:
            errors.forbidden(f"{at}.{name}", "should not be set when strategy is not set to Webhook")


def _stored(stored: list[str] | None, versions: list[Value], errors: Errors, at: str) -> None:
    if not stored:
        errors.invalid(at, stored, "must have at least one stored version")
        return
    left = {name: i for i, name in enumerate(stored)}
    for version in versions:
        name = text_of(version, "name")
        if version.get("storage") is True and name not in left:
            errors.invalid(at, stored, f"must have the storage version {name}")
        left.pop(name, None)
    for name, i in left.items():
        errors.invalid(f"{at}[{i}]", name, "must appear in spec.versions")


def _preserve(obj: Value, errors: Errors) -> None:
    if (obj.get("spec") or {}).get("preserveUnknownFields") is True:
        errors.invalid(
            "spec.preserveUnknownFields",
            True,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        )


def _approval(obj: Value, errors: Errors) -> None:
    """A group of Kubernetes' own needs an approval (KEP-1111)."""
    group = text_of(obj.get("spec") or {}, "group")
    if not (group.endswith((".k8s.io", ".kubernetes.io")) or group in ("k8s.io", "kubernetes.io")):
        return
    at, key = "metadata.annotations[api-approved.kubernetes.io]", "api-approved.kubernetes.io"
    approval = text_of((obj.get("metadata") or {}).get("annotations") or {}, key)
    where = "see https://github.com/kubernetes/enhancements/pull/1111"
    if not approval:
        errors.required(at, f'protected groups must have approval annotation "{key}", {where}')
    elif not approval.startswith(("https://", "http://", "unapproved")):
        detail = (
            f'protected groups must have approval annotation "{key}" with either a URL or a reason starting with '
            f'"unapproved", {where}'
        )
        errors.invalid(at, approval, detail)


CREATE = {(GROUP, KIND): _create}
UPDATE = {(GROUP, KIND): _update}
