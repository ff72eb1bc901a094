"""Roles and bindings. Follows pkg/apis/rbac/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
SUBJECTS = ("ServiceAccount", "User", "Group")


def _role(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    for i, rule in enumerate(obj.get("rules") or ()):
        _rule(rule or {}, f"rules[{i}]", errors, namespaced=obj["kind"] == "Role")
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        at = "aggregationRule.clusterRoleSelectors"
        selectors = aggregation.get("clusterRoleSelectors") or []
        if not selectors:
            errors.required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for i, selector in enumerate(selectors):
            found = len(errors.causes)
            metadata.label_selector(selector, errors, f"{at}[{i}]")
            if len(errors.causes) > found:
                errors.invalid(f"{at}[{i}]", None, "invalid label selector.")


def _rule(rule: Value, at: str, errors: Errors, *, namespaced: bool) -> None:
    if not rule.get("verbs"):
        errors.required(f"{at}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            errors.invalid(f"{at}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            errors.invalid(f"{at}.nonResourceURLs", urls, detail)
        return
    if not rule.get("apiGroups"):
        errors.required(f"{at}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        errors.required(f"{at}.resources", "resource rules must supply at least one resource")


def _binding(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    namespaced = obj["kind"] == "RoleBinding"
    ref = obj.get("roleRef") or {}
    if (ref.get("apiGroup") or "") != GROUP:
        errors.not_supported("roleRef.apiGroup", ref.get("apiGroup") or "", [GROUP])
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if ref.get("kind") not in kinds:
        errors.not_supported("roleRef.kind", ref.get("kind") or "", kinds, keep_order=True)
    if not ref.get("name"):
        errors.required("roleRef.name")
    else:
        names.invalid(errors, "roleRef.name", ref["name"], names.path_segment(ref["name"]))
    for i, subject in enumerate(obj.get("subjects") or ()):
        _subject(subject or {}, f"subjects[{i}]", errors, namespaced=namespaced)


def _subject(subject: Value, at: str, errors: Errors, *, namespaced: bool) -> None:
    name, group, kind = subject.get("name") or "", subject.get("apiGroup") or "", subject.get("kind") or ""
    if not name:
        errors.required(f"{at}.name")
    if kind == "ServiceAccount":
        if name:
            names.invalid(errors, f"{at}.name", name, names.dns1123_subdomain(name))
        if group:
            errors.not_supported(f"{at}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            errors.required(f"{at}.namespace")
    elif kind in SUBJECTS:
        if group != GROUP:
            errors.not_supported(f"{at}.apiGroup", group, [GROUP])
    else:
        errors.not_supported(f"{at}.kind", kind, SUBJECTS, keep_order=True)


def _role_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _role(new, errors, context)
    metadata.update(new, old, errors)


def _binding_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _binding(new, errors, context)
    metadata.update(new, old, errors)
    if new.get("roleRef") != old.get("roleRef"):
        ref = new.get("roleRef") or {}
        shown = {
            field: ref.get(key) or "" for field, key in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
        }
        errors.invalid("roleRef", shown, "cannot change roleRef")


CREATE = {
    (GROUP, "Role"): _role,
    (GROUP, "ClusterRole"): _role,
    (GROUP, "RoleBinding"): _binding,
    (GROUP, "ClusterRoleBinding"): _binding,
}
UPDATE = {
    (GROUP, "Role"): _role_update,
    (GROUP, "ClusterRole"): _role_update,
    (GROUP, "RoleBinding"): _binding_update,
    (GROUP, "ClusterRoleBinding"): _binding_update,
}
