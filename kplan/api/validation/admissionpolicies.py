"""Admission policies in CEL and their bindings. Follows pkg/apis/admissionregistration/validation/validation.go."""

from __future__ import annotations

import re

from kplan.api.cel.lexer import RESERVED, WORDS
from kplan.api.cel.types import Type
from kplan.api.validation import Context, admissionrules, expressions, metadata, names
from kplan.api.validation.expressions import Variables, text_of
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "admissionregistration.k8s.io"
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_MUTABLE_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATION = ("IfNeeded", "Never")
_PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_MOST_ANNOTATIONS, _MOST_ANNOTATION_BYTES = 20, 5 * 1024

_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*").fullmatch


def _policy(obj: Value, errors: Errors) -> None:
    spec = obj.get("spec") or {}
    mutating = obj["kind"] == "MutatingAdmissionPolicy"
    admissionrules.required_one_of(
        errors, "spec.failurePolicy", spec.get("failurePolicy"), admissionrules.FAILURE_POLICIES
    )
    if spec.get("paramKind") is not None:
        _param_kind(spec["paramKind"], errors, "spec.paramKind")
    _match_constraints(spec.get("matchConstraints"), errors, "spec.matchConstraints", mutating=mutating)
    base = Variables(params=spec.get("paramKind") is not None, mutating=mutating)
    admissionrules.match_conditions(
        spec.get("matchConditions") or (), errors, "spec.matchConditions", base._replace(mutating=False)
    )
    if mutating:
        _mutations(spec, errors, _variables(spec, errors, base._replace(composed={})))
    else:
        composed = base._replace(composed={}) if spec.get("variables") else base
        _validations(spec, errors, _variables(spec, errors, composed), text_of(obj.get("metadata") or {}, "name"))


def _param_kind(kind: Value, errors: Errors, at: str) -> None:
    api_version, name = text_of(kind, "apiVersion"), text_of(kind, "kind")
    if not api_version:
        errors.required(f"{at}.apiVersion")
    elif api_version.count("/") > 1:
        errors.invalid(f"{at}.apiVersion", api_version, f"unexpected GroupVersion string: {api_version}")
    else:
        group, _, version = api_version.rpartition("/")
        if group and (wrong := names.dns1123_subdomain(group)):
            errors.invalid(f"{at}.apiVersion", group, ",".join(wrong))
        if not version:
            errors.invalid(f"{at}.apiVersion", api_version, "version must be specified")
        elif wrong := names.dns1035_label(version):
            errors.invalid(f"{at}.apiVersion", version, ",".join(wrong))
    if not name:
        errors.required(f"{at}.kind")
    elif wrong := names.dns1035_label(name.lower()):
        detail = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        errors.invalid(f"{at}.kind", name, detail)


def _match_constraints(value: Value | None, errors: Errors, at: str, *, mutating: bool) -> None:
    if value is None:
        errors.required(at)
        return
    _match_resources(value, errors, at, mutating=mutating)
    if not value.get("resourceRules"):
        errors.required(f"{at}.resourceRules")


def _match_resources(value: Value, errors: Errors, at: str, *, mutating: bool) -> None:
    admissionrules.match_resources(value, errors, at)
    for rule in (value.get("resourceRules") or ()) if mutating else ():
        for operation in (rule or {}).get("operations") or ():
            if operation not in _MUTABLE_OPERATIONS:
                errors.not_supported(f"{at}.resourceRules.operations", operation or "", _MUTABLE_OPERATIONS)


def _variables(spec: Value, errors: Errors, known: Variables) -> Variables:
    """Judge the variables one after the other, each of which may use those before it."""
    for i, variable in enumerate(v or {} for v in spec.get("variables") or ()):
        at, name, expression = f"spec.variables[{i}]", text_of(variable, "name"), text_of(variable, "expression")
        if not name.strip():
            errors.required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER(name) or name in RESERVED | WORDS:
            errors.invalid(f"{at}.name", name, "must be a valid CEL identifier")
        if not expression.strip():
            errors.required(f"{at}.expression", "expression is not specified")
            continue
        found = expressions.judge(expression, errors, f"{at}.expression", known, expressions.ANY_RESULT)
        composed: dict[str, Type] = {**(known.composed or {}), name: found}
        known = known._replace(composed=composed)
    return known


def _validations(spec: Value, errors: Errors, known: Variables, policy: str) -> None:
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        for name in ("validations", "auditAnnotations"):
            errors.required(f"spec.{name}", "validations or auditAnnotations must contain at least one item")
    for i, validation in enumerate(validations):
        _validation(validation or {}, errors, f"spec.validations[{i}]", known)
    if len(annotations) > _MOST_ANNOTATIONS:
        detail = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        errors.invalid("spec.auditAnnotations", annotations, detail)
    seen: set[str] = set()
    for i, annotation in enumerate(a or {} for a in annotations):
        at, key = f"spec.auditAnnotations[{i}]", text_of(annotation, "key")
        _audit_annotation(annotation, errors, at, known, policy)
        if key in seen:
            errors.duplicate(f"{at}.key", key)
        seen.add(key)


def _validation(validation: Value, errors: Errors, at: str, known: Variables) -> None:
    expression, message = text_of(validation, "expression"), text_of(validation, "message")
    if not expression.strip():
        errors.required(f"{at}.expression", "expression is not specified")
    else:
        expressions.judge(expression, errors, f"{at}.expression", known, expressions.BOOL_RESULT)
    _message_expression(text_of(validation, "messageExpression"), errors, f"{at}.messageExpression", known)
    if message and not message.strip():
        errors.invalid(f"{at}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        errors.invalid(f"{at}.message", message, "message must not contain line breaks")
    elif "\n" in expression.strip() and not message:
        errors.required(f"{at}.message", "message must be specified if expression contains line breaks")
    if validation.get("reason") is not None:
        errors.one_of(f"{at}.reason", validation["reason"], _REASONS)


def _message_expression(source: str, errors: Errors, at: str, known: Variables) -> None:
    if not source:
        return
    if not source.strip():
        errors.invalid(at, source, "must be non-empty if specified")
    else:
        expressions.judge(source, errors, at, known._replace(authorizer=False), expressions.STRING_RESULT)


def _audit_annotation(annotation: Value, errors: Errors, at: str, known: Variables, policy: str) -> None:
    key, expression = text_of(annotation, "key"), text_of(annotation, "valueExpression")
    if policy:
        names.label_name(errors, f"{at}.key", f"{policy}/{key}")
    else:
        errors.invalid(f"{at}.key", key, "requires metadata.name be non-empty")
    if not expression.strip():
        errors.required(f"{at}.valueExpression", "valueExpression is not specified")
    elif names.size(expression.strip()) > _MOST_ANNOTATION_BYTES:
        errors.required(f"{at}.valueExpression", f"must not exceed {_MOST_ANNOTATION_BYTES} bytes in length")
    else:
        expressions.judge(expression, errors, f"{at}.valueExpression", known, expressions.AUDIT_RESULT)


def _mutations(spec: Value, errors: Errors, known: Variables) -> None:
    mutations = spec.get("mutations") or ()
    if not mutations:
        errors.required("spec.mutations", "mutations must contain at least one item")
    for i, mutation in enumerate(mutations):
        _mutation(mutation or {}, errors, f"spec.mutations[{i}]", known)
    policy = text_of(spec, "reinvocationPolicy")
    if not policy:
        errors.required("spec.reinvocationPolicy")
    else:
        errors.one_of("spec.reinvocationPolicy", policy, _REINVOCATION)


def _mutation(mutation: Value, errors: Errors, at: str, known: Variables) -> None:
    kind = text_of(mutation, "patchType")
    if not kind:
        errors.required(f"{at}.patchType")
        return
    errors.one_of(f"{at}.patchType", kind, tuple(_PATCHES))
    for patch_type, name in _PATCHES.items():
        patch = mutation.get(name)
        if patch_type != kind:
            if patch is not None and kind in _PATCHES:
                errors.invalid(f"{at}.{name}", patch, f"must not be specified when patchType is {kind}")
        elif patch is None:
            errors.required(f"{at}.{name}", f"must be specified when patchType is {kind}")
        elif not text_of(patch, "expression").strip():
            errors.required(f"{at}.{name}.expression")
        else:
            results = expressions.APPLY_RESULT if name == "applyConfiguration" else expressions.PATCH_RESULT
            expressions.judge(patch["expression"], errors, f"{at}.{name}.expression", known, results)


def _binding(obj: Value, errors: Errors) -> None:
    spec = obj.get("spec") or {}
    policy = text_of(spec, "policyName")
    if not policy:
        errors.required("spec.policyName")
    else:
        names.invalid(errors, "spec.policyName", policy, names.dns1123_subdomain(policy))
    if spec.get("paramRef") is not None:
        _param_ref(spec["paramRef"], errors, "spec.paramRef")
    mutating = obj["kind"] == "MutatingAdmissionPolicyBinding"
    if spec.get("matchResources") is not None:
        _match_resources(spec["matchResources"], errors, "spec.matchResources", mutating=mutating)
    if not mutating:
        _actions([a or "" for a in spec.get("validationActions") or ()], errors, "spec.validationActions")


def _param_ref(ref: Value, errors: Errors, at: str) -> None:
    name, selector, action = text_of(ref, "name"), ref.get("selector"), text_of(ref, "parameterNotFoundAction")
    exclusive = "name and selector are mutually exclusive"
    if name:
        names.invalid(errors, f"{at}.name", name, names.path_segment(name))
        if selector is not None:
            errors.forbidden(f"{at}.name", exclusive)
    if selector is not None:
        metadata.label_selector(selector, errors, f"{at}.selector")
        if name:
            errors.forbidden(f"{at}.selector", exclusive)
    if not name and selector is None:
        errors.required(at, "one of name or selector must be specified")
    if not action:
        errors.required(f"{at}.parameterNotFoundAction")
    else:
        errors.one_of(f"{at}.parameterNotFoundAction", action, ("Deny", "Allow"))


def _actions(actions: list[str], errors: Errors, at: str) -> None:
    if not actions:
        errors.required(at, "at least one validation action is required")
    for i, action in enumerate(actions):
        errors.one_of(f"{at}[{i}]", action, _ACTIONS)
        if action in actions[:i]:
            errors.duplicate(f"{at}[{i}]", action)
    if "Deny" in actions and "Warn" in actions:
        errors.invalid(
            at,
            actions,
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)",
        )


def _judge(obj: Value, errors: Errors) -> None:
    (_binding if obj["kind"].endswith("Binding") else _policy)(obj, errors)


def _create(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _judge(obj, errors)


def _update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed object by the rules for a new one; what did not change is as good as it was."""
    metadata.create(new, errors, context)
    if new.get("spec") != old.get("spec"):
        _judge(new, errors)


_KINDS = tuple(f"{m}AdmissionPolicy{b}" for m in ("Validating", "Mutating") for b in ("", "Binding"))
CREATE = {(GROUP, kind): _create for kind in _KINDS}
UPDATE = {(GROUP, kind): _update for kind in _KINDS}
