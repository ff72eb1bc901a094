"""Resource requirements: names of resources, their quantities, and requests against limits.

Follows pkg/apis/core/validation/validation.go (validateResourceRequirements and around it) and
pkg/apis/core/helper/helpers.go for which names are standard, native, extended or whole-numbered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from kplan import quantity
from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import PodOptions, Value, all_containers
from kplan.hints import Any
from kplan.quantity import Quantity
from kplan.tuples import NamedTuple

Check = Callable[[Errors, str, str], None]

HUGE = "hugepages-"
POD_LEVEL = ("cpu", "hugepages-", "memory")

_COUNTED = (
    "configmaps persistentvolumeclaims pods replicationcontrollers resourcequotas secrets services "
    "services.loadbalancers services.nodeports"
)
_AMOUNTS = "cpu memory ephemeral-storage"
INTEGER_RESOURCES = frozenset(_COUNTED.split())
CONTAINER_RESOURCES = frozenset(_AMOUNTS.split())
STANDARD_RESOURCES = (
    INTEGER_RESOURCES
    | {f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in CONTAINER_RESOURCES}
    | {"storage", "requests.storage"}
)


class Claims(NamedTuple):
    """The names of the resource claims of a pod, and the sentence about any other name."""

    names: frozenset[str]
    sentence: str


def claims_of(claims: Collection[Value]) -> Claims:
    """The claims of a pod, by which its containers name them."""
    found = frozenset(c["name"] for c in claims if c.get("name"))
    listed = f": {', '.join(sorted(found))}" if found else " which is empty"
    return Claims(found, f"must be one of the names in pod.spec.resourceClaims{listed}")


NO_CLAIMS = claims_of(())


def is_standard(name: str) -> bool:
    """Whether a bare name is a resource that Kubernetes knows anywhere."""
    return name in STANDARD_RESOURCES or name.startswith((HUGE, "requests.hugepages-"))


def is_native(name: str) -> bool:
    """Whether a name belongs to Kubernetes itself."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether a name is an extended resource: some vendor's, in whole numbers."""
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def is_integer(name: str) -> bool:
    """Whether amounts of a resource are whole numbers."""
    return name in INTEGER_RESOURCES or is_extended(name)


def can_overcommit(name: str) -> bool:
    """Whether a request may be less than the limit."""
    return is_native(name) and not name.startswith(HUGE)


def resource_name(errors: Errors, field: str, name: str) -> bool:
    """A resource name in general; says whether it is one."""
    wrong = names.qualified_name(name)
    names.invalid(errors, field, name, wrong)
    if not wrong and "/" not in name and not is_standard(name):
        errors.invalid(field, name, "must be a standard resource type or fully qualified")
        return False
    return not wrong


def container_resource_name(errors: Errors, field: str, name: str) -> None:
    """The name of a resource of a container."""
    resource_name(errors, field, name)
    if "/" not in name:
        if name not in CONTAINER_RESOURCES and not name.startswith(HUGE):
            errors.invalid(field, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        errors.invalid(field, name, "doesn't follow extended resource name standard")


def pod_resource_name(errors: Errors, field: str, name: str) -> None:
    """The name of a resource at the level of the pod."""
    if resource_name(errors, field, name) and name not in {"cpu", "memory"} and not name.startswith(HUGE):
        errors.not_supported(field, name, POD_LEVEL, keep_order=True)


def non_negative(errors: Errors, field: str, amount: Quantity) -> None:
    """Report a negative quantity."""
    if amount.nanos < 0:
        errors.invalid(field, str(amount), names.NEGATIVE)


def quantity_value(errors: Errors, field: str, name: str, amount: Quantity) -> None:
    """The quantity of a resource: not negative, and whole where the resource is counted."""
    non_negative(errors, field, amount)
    if is_integer(name) and amount.milli % 1000:
        errors.invalid(field, str(amount), "must be an integer")


@lru_cache(maxsize=256)
def _page_size(name: str) -> int:
    try:
        size = quantity.parse(name.removeprefix(HUGE))
    except quantity.QuantityError:
        return 0
    return 0 if size.milli % 1000 else size.value


def _is_divisible(name: str, amount: Quantity) -> bool:
    size = _page_size(name)
    return size > 0 and amount.value % size == 0


def has_indivisible_pages(spec: Value) -> bool:
    """Whether an amount of huge pages anywhere in a pod spec is no whole number of pages."""
    lists = [(c.get("resources") or {}).get(side) for c, _ in all_containers(spec) for side in ("limits", "requests")]
    return any(
        name.startswith(HUGE) and not _is_divisible(name, quantity.parse(amount))
        for resources in (*lists, spec.get("overhead"))
        for name, amount in (resources or {}).items()
    )


def container_requirements(
    errors: Errors, field: str, resources: Mapping[str, Any], claims: Claims, options: PodOptions
) -> None:
    """ValidateContainerResourceRequirements."""
    if resources:
        _requirements(errors, field, resources, container_resource_name, claims, options)


def overhead(errors: Errors, field: str, value: Mapping[str, str], options: PodOptions) -> None:
    """The overhead of a pod, which is checked as if it were the limits of a container."""
    _requirements(errors, field, {"limits": value}, container_resource_name, NO_CLAIMS, options)


def _requirements(
    errors: Errors, field: str, resources: Mapping[str, Any], check: Check, claims: Claims, options: PodOptions
) -> None:
    limits = _amounts(resources.get("limits"))
    requests = _amounts(resources.get("requests"))
    for name, amount in limits.items():
        _amount(errors, f"{field}.limits[{name}]", name, amount, check, options)
    for name, amount in requests.items():
        path = f"{field}.requests[{name}]"
        check(errors, path, name)
        quantity_value(errors, path, name, amount)
        _request(errors, field, name, amount, limits.get(name))
        _pages(errors, path, name, amount, options)
    if not {"cpu", "memory"} & {*limits, *requests} and any(n.startswith(HUGE) for n in (*limits, *requests)):
        errors.forbidden(field, "HugePages require cpu or memory")
    _claims(errors, f"{field}.claims", resources.get("claims") or (), claims)


def _amounts(resources: Mapping[str, str] | None) -> dict[str, Quantity]:
    return {name: quantity.parse(amount) for name, amount in sorted((resources or {}).items())}


def _amount(errors: Errors, path: str, name: str, amount: Quantity, check: Check, options: PodOptions) -> None:
    check(errors, path, name)
    quantity_value(errors, path, name, amount)
    _pages(errors, path, name, amount, options)


def _pages(errors: Errors, path: str, name: str, amount: Quantity, options: PodOptions) -> None:
    if name.startswith(HUGE) and not _is_divisible(name, amount) and not options.kept(has_indivisible_pages):
        errors.invalid(path, str(amount), f"{amount} is not positive integer multiple of {name}")


def _request(errors: Errors, field: str, name: str, amount: Quantity, limit: Quantity | None) -> None:
    if limit is None:
        if not can_overcommit(name):
            errors.required(f"{field}.limits", "Limit must be set for non overcommitable resources")
    elif amount.nanos != limit.nanos and not can_overcommit(name):
        errors.invalid(f"{field}.requests", str(amount), f"must be equal to {name} limit of {limit}")
    elif amount.nanos > limit.nanos:
        errors.invalid(f"{field}.requests", str(amount), f"must be less than or equal to {name} limit of {limit}")


def _claims(errors: Errors, field: str, claims: Collection[Value], known: Claims) -> None:
    seen: set[str] = set()
    parts: Counter[str] = Counter()
    for i, claim in enumerate(claims):
        name, request, path = claim.get("name") or "", claim.get("request") or "", f"{field}[{i}]"
        key = f"{name}/{request}" if request else name
        if not name:
            errors.required(path)
            continue
        if name in seen:
            errors.duplicate(path, name)
        else:
            _claim(errors, path, key, request, parts[key] if not request else int(key in seen))
            parts[key.partition("/")[0]] += key not in seen
            seen.add(key)
        if name not in known.names:
            errors.not_found(path, name, known.sentence)


def _claim(errors: Errors, path: str, key: str, request: str, clashes: int) -> None:
    """A claim, or one request of it; `clashes` is how often what it takes is taken already."""
    if request:
        names.invalid(errors, f"{path}.request", request, names.dns1123_label(request))
    for _ in range(clashes):
        errors.duplicate(path, key)


def pod_requirements(errors: Errors, path: str, spec: Value, claims: Claims, options: PodOptions) -> None:
    """Resources at the level of the pod: their names, and that they are not less than those of the containers."""
    resources, field = spec.get("resources"), f"{path}.resources"
    if resources is None:
        return
    if (spec.get("os") or {}).get("name") == "windows":
        errors.forbidden(field, "may not be set for a windows pod")
        return
    if resources.get("claims"):
        errors.forbidden(f"{field}.claims", "claims may not be set for Resources at pod-level")
    _requirements(errors, field, resources, pod_resource_name, claims, options)
    _consistency(errors, field, spec, resources)


def _consistency(errors: Errors, field: str, spec: Value, resources: Value) -> None:
    requests, limits = _amounts(resources.get("requests")), _amounts(resources.get("limits"))
    for name, needed in _aggregate(spec, "requests").items():
        if name in requests and needed.nanos > requests[name].nanos:
            sentence = f"must be greater than or equal to aggregate container requests of {needed}"
            errors.invalid(f"{field}.requests[{name}]", str(requests[name]), sentence)
    for name, needed in _aggregate(spec, "limits").items():
        if name.startswith(HUGE) and name in limits and needed.nanos > limits[name].nanos:
            sentence = f"must be greater than or equal to aggregate container limits of {needed}"
            errors.invalid(f"{field}.limits[{name}]", str(limits[name]), sentence)
    for i, container in enumerate(spec.get("containers") or ()):
        for name, limit in _amounts((container.get("resources") or {}).get("limits")).items():
            if name in limits and limit.nanos > limits[name].nanos:
                where = f"{field}.containers[{i}][{name}].limits"
                errors.invalid(where, str(limit), f"must be less than or equal to pod limits of {limits[name]}")


def _aggregate(spec: Value, side: str) -> dict[str, Quantity]:
    """What the containers of a pod ask for together: AggregateContainerRequests and AggregateContainerLimits."""
    total: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        _add(total, _amounts((container.get("resources") or {}).get(side)))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        own = _amounts((container.get("resources") or {}).get(side))
        if container.get("restartPolicy") == "Always":
            _add(total, own)
            _add(sidecars, own)
        else:
            _add(own, {name: sidecars[name] for name in own if name in sidecars})
            _raise(peak, own)
    _raise(total, peak)
    return dict(sorted(total.items()))


def _add(total: dict[str, Quantity], other: Mapping[str, Quantity]) -> None:
    for name, amount in other.items():
        have = total.get(name)
        total[name] = amount if have is None else Quantity(have.nanos + amount.nanos, have.format)


def _raise(total: dict[str, Quantity], other: Mapping[str, Quantity]) -> None:
    for name, amount in other.items():
        if name not in total or amount.nanos > total[name].nanos:
            total[name] = amount
