"""What the Pod Security checks share: visiting containers, and composing the details of a verdict.

Follows k8s.io/pod-security-admission/policy (visitor.go, helpers.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kplan.hints import Any
from kplan.record import record
from kplan.tuples import NamedTuple
from kplan.workloads import CONTAINER_LISTS

Value = dict[str, Any]


class Violation(NamedTuple):
    """Why a pod is against a check: the reason, and who did it."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@record
class Pod:
    """What a check looks at: annotations and spec of a pod or of a pod template."""

    annotations: Value
    spec: Value

    @property
    def security(self) -> Value:
        """The pod's securityContext, {} if it has none."""
        return self.spec.get("securityContext") or {}

    @property
    def is_windows(self) -> bool:
        """Whether spec.os.name says so."""
        return (self.spec.get("os") or {}).get("name") == "windows"

    @property
    def has_user_namespace(self) -> bool:
        """Whether `hostUsers: false` is set."""
        return self.spec.get("hostUsers") is False

    def containers(self) -> Iterator[tuple[str, Value, Value]]:
        """(name, container, its securityContext) of init, normal and ephemeral containers."""
        for role in CONTAINER_LISTS:
            for c in self.spec.get(role) or ():
                yield c.get("name", ""), c, c.get("securityContext") or {}


Check = Callable[[Pod], Violation | None]


def quoted(items: Iterable[str]) -> str:
    """`"a", "b"`: as the server joins names, without escaping."""
    return '"' + '", "'.join(items) + '"'


def plural(one: str, items: object, many: str = "") -> str:
    """The word for one or for many, by the number of `items`."""
    count = len(items) if hasattr(items, "__len__") else 0
    return one if count == 1 else many or one + "s"


def the_containers(names: list[str]) -> str:
    """`container "a"` or `containers "a", "b"`."""
    return f"{plural('container', names)} {quoted(names)}"


def setters(pod: bool, names: list[str]) -> str:
    """Who set a bad value: `pod and container "a"`."""
    who = ["pod"] if pod else []
    if names:
        who.append(the_containers(names))
    return " and ".join(who)
