"""Ingress, IngressClass, IPAddress and ServiceCIDR. Follows pkg/apis/networking/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, addresses, metadata, names
from kplan.api.validation.field import Errors, go_quote
from kplan.hints import Any
from kplan.patterns import lazy

Value = dict[str, Any]

GROUP = "networking.k8s.io"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
BAD_ENDS = ("/..", "/.")
MAX_CONTROLLER = 250
_CONTROLLER_PATH = lazy(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def _ingress(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    class_, annotations = (obj.get("spec") or {}).get("ingressClassName"), (obj["metadata"].get("annotations") or {})
    annotated = annotations.get(CLASS_ANNOTATION)
    if annotated is not None and class_ is not None and annotated != class_:
        field = f"metadata.annotations[{CLASS_ANNOTATION}]"
        errors.invalid(field, annotated, "must match `ingressClassName` when both are specified")
    _ingress_spec(obj.get("spec") or {}, errors, context.minor)


def _ingress_spec(spec: Value, errors: Errors, minor: int) -> None:
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        errors.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if default is not None:
        _backend(default, "spec.defaultBackend", errors, minor)
    for i, rule in enumerate(rules):
        _rule(rule or {}, f"spec.rules[{i}]", errors, minor)
    for i, tls in enumerate(spec.get("tls") or ()):
        for n, host in enumerate((tls or {}).get("hosts") or ()):
            _dns_name(host or "", f"spec.tls[{i}].hosts[{n}]", errors)
        secret = (tls or {}).get("secretName")
        if secret:
            names.invalid(errors, f"spec.tls[{i}].secretName", secret, names.dns1123_subdomain(secret))
    class_ = spec.get("ingressClassName")
    if class_ is not None:
        names.invalid(errors, "spec.ingressClassName", class_, names.dns1123_subdomain(class_))


def _dns_name(host: str, field: str, errors: Errors) -> None:
    check = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
    names.invalid(errors, field, host, check(host))


def _rule(rule: Value, at: str, errors: Errors, minor: int) -> None:
    host = rule.get("host") or ""
    if host:
        if addresses.parse_ip(host) is not None:
            errors.invalid(f"{at}.host", host, "must be a DNS name, not an IP address")
        _dns_name(host, f"{at}.host", errors)
    http = rule.get("http")
    if http is None:
        return
    paths = http.get("paths") or []
    if not paths:
        errors.required(f"{at}.http.paths")
    for i, path in enumerate(paths):
        _path(path or {}, f"{at}.http.paths[{i}]", errors, minor)


def _path(path: Value, at: str, errors: Errors, minor: int) -> None:
    type_, text = path.get("pathType"), path.get("path") or ""
    if type_ is None:
        errors.required(f"{at}.pathType", "pathType must be specified")
        return
    if type_ in ("Exact", "Prefix"):
        if not text.startswith("/"):
            errors.invalid(f"{at}.path", text, "must be an absolute path")
        if text:
            for bad in BAD_SEQUENCES:
                if bad in text:
                    errors.invalid(f"{at}.path", text, f"must not contain '{bad}'")
            for bad in BAD_ENDS:
                if text.endswith(bad):
                    errors.invalid(f"{at}.path", text, f"cannot end with '{bad}'")
    elif type_ == "ImplementationSpecific":
        if text and not text.startswith("/"):
            errors.invalid(f"{at}.path", text, "must be an absolute path")
    else:
        errors.not_supported(f"{at}.pathType", type_, PATH_TYPES)
    _backend(path.get("backend") or {}, f"{at}.backend", errors, minor)


def _backend(backend: Value, at: str, errors: Errors, minor: int) -> None:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        errors.invalid(at, "", "cannot set both resource and service backends")
    elif resource is not None:
        _typed_reference(resource, f"{at}.resource", errors)
    elif service is None:
        errors.invalid(at, "", "resource or service backend is required")
    else:
        _service_backend(service, at, errors, minor)


def _service_backend(service: Value, at: str, errors: Errors, minor: int) -> None:
    name = service.get("name") or ""
    if not name:
        errors.required(f"{at}.service.name")
    else:
        wrong = metadata.name_rule(("", "Service"), minor)(name)
        names.invalid(errors, f"{at}.service.name", name, wrong)
    port = service.get("port") or {}
    port_name, number = port.get("name") or "", port.get("number") or 0
    if port_name and number:
        errors.invalid(at, "", "cannot set both port name & port number")
    elif port_name:
        names.invalid(errors, f"{at}.service.port.name", port_name, names.port_name(port_name))
    elif number:
        names.invalid(errors, f"{at}.service.port.number", number, names.port_number(number))
    else:
        errors.required(at, "port name or number is required")


def _typed_reference(ref: Value, at: str, errors: Errors) -> None:
    group = ref.get("apiGroup")
    if group is not None:
        names.invalid(errors, f"{at}.apiGroup", group, names.dns1123_subdomain(group))
    for field in ("kind", "name"):
        value = ref.get(field) or ""
        if not value:
            errors.required(f"{at}.{field}")
        else:
            names.invalid(errors, f"{at}.{field}", value, names.path_segment(value))


def _ingress_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _ingress_spec(new.get("spec") or {}, errors, context.minor)


def _ingress_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _class_spec(obj.get("spec") or {}, errors)


def _class_spec(spec: Value, errors: Errors) -> None:
    controller = spec.get("controller") or ""
    if names.size(controller) > MAX_CONTROLLER:
        errors.too_long("spec.controller", MAX_CONTROLLER)
    _domain_prefixed_path(controller, "spec.controller", errors)
    parameters = spec.get("parameters")
    if parameters is None:
        return
    at = "spec.parameters"
    _typed_reference(parameters, at, errors)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        errors.required(f"{at}.scope")
        return
    if scope not in ("Cluster", "Namespace"):
        errors.not_supported(f"{at}.scope", scope, ("Cluster", "Namespace"))
    if scope == "Namespace":
        if namespace is None:
            errors.required(f"{at}.namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            names.invalid(errors, f"{at}.namespace", namespace, names.dns1123_label(namespace))
    if scope == "Cluster" and namespace is not None:
        errors.forbidden(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'")


def _domain_prefixed_path(text: str, field: str, errors: Errors) -> None:
    if not text:
        errors.required(field)
        return
    domain, _, path = text.partition("/")
    if not domain or not path:
        errors.invalid(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    names.invalid(errors, field, domain, names.dns1123_subdomain(domain))
    if not _CONTROLLER_PATH.fullmatch(path):
        detail = names.regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
        errors.invalid(field, path, detail)


def _ingress_class_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    controller = (new.get("spec") or {}).get("controller")
    if controller != (old.get("spec") or {}).get("controller"):
        errors.invalid("spec.controller", controller or "", names.IMMUTABLE)
    _class_spec(new.get("spec") or {}, errors)


def _ip_name(name: str) -> names.Messages:
    ip = addresses.parse_ip(name)
    if ip is None:
        return (addresses.IP_ERROR,)
    usual = addresses.go_text(ip)
    return names.OK if usual == name else (f"must be in canonical form ({go_quote(usual)})",)


def _ip_address(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context, rule=_ip_name)
    _parent(obj, errors)


def _parent(obj: Value, errors: Errors) -> None:
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        errors.required("spec.parentRef")
        return
    at, group = "spec.parentRef", parent.get("group") or ""
    if group:
        names.invalid(errors, f"{at}.group", group, names.dns1123_subdomain(group))
    for field in ("resource", "name", "namespace"):
        value = parent.get(field) or ""
        if value:
            names.invalid(errors, f"{at}.{field}", value, names.path_segment(value))
        elif field != "namespace":
            errors.required(f"{at}.{field}")


def _ip_address_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    parent = (new.get("spec") or {}).get("parentRef")
    if parent != (old.get("spec") or {}).get("parentRef"):
        shown = parent and {k.capitalize(): parent.get(k) or "" for k in ("group", "resource", "namespace", "name")}
        errors.invalid("spec.parentRef", shown, names.IMMUTABLE)


def _service_cidr(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _cidrs((obj.get("spec") or {}).get("cidrs") or [], errors)


def _cidrs(cidrs: list[str], errors: Errors) -> None:
    at = "spec.cidrs"
    if not cidrs:
        errors.required(at, "at least one CIDR required")
        return
    if len(cidrs) > 2:
        errors.invalid(at, cidrs, "may only hold up to 2 values")
    for i, cidr in enumerate(cidrs):
        addresses.canonical_cidr(errors, f"{at}[{i}]", cidr or "")
    found = [addresses.parse_cidr(c or "") for c in cidrs]
    if len(found) == 2 and all(found) and len({addresses.is_ipv6(c.ip) for c in found if c}) == 1:
        detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        errors.invalid(at, cidrs, detail)


def _service_cidr_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    """A stored range stays; one of the other family may join it."""
    metadata.update(new, old, errors)
    cidrs, before = ((o.get("spec") or {}).get("cidrs") or [] for o in (new, old))
    joined = len(before) == 1 and len(cidrs) == 2
    if len(before) != len(cidrs) and not joined:
        errors.invalid("spec.cidrs", cidrs, names.IMMUTABLE)
        return
    for i, cidr in enumerate(before):
        if cidr != cidrs[i]:
            errors.invalid(f"spec.cidrs[{i}]", cidrs[i], names.IMMUTABLE)
    if joined:
        _cidrs(cidrs, errors)


CREATE = {
    (GROUP, "Ingress"): _ingress,
    (GROUP, "IngressClass"): _ingress_class,
    (GROUP, "IPAddress"): _ip_address,
    (GROUP, "ServiceCIDR"): _service_cidr,
}
UPDATE = {
    (GROUP, "Ingress"): _ingress_update,
    (GROUP, "IngressClass"): _ingress_class_update,
    (GROUP, "IPAddress"): _ip_address_update,
    (GROUP, "ServiceCIDR"): _service_cidr_update,
}
