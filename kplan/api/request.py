"""One call to the API server, as every stage after decoding sees it, and the refusal that ends it.

Follows k8s.io/apiserver/pkg/admission (Attributes) and k8s.io/apimachinery/pkg/api/errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan import release as releases
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Cause
from kplan.record import record
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from kplan.store import Store

Value = dict[str, Any]

CREATE, UPDATE = "CREATE", "UPDATE"
NAMESPACE_TERMINATING = "NamespaceTerminating"  # the cause of a refusal


class Refused(Exception):  # noqa: N818 - an answer of the server, not an error of kplan
    """The server says no. `status` is the HTTP code, `message` the text of metav1.Status."""

    def __init__(self, status: int, message: str, causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.causes = causes

    @property
    def by_terminating_namespace(self) -> bool:
        """Whether it is for the namespace, which is being deleted: nothing will ever be created there."""
        return any(c.reason == NAMESPACE_TERMINATING for c in self.causes)


def require(verb: str, verbs: Sequence[str]) -> None:
    """Raises Refused, a 405, if the server answers no such call for objects of a kind."""
    if verb not in verbs:
        raise Refused(405, "the server does not allow this method on the requested resource")


def invalid(group: str, obj: Value, causes: Sequence[Cause]) -> Refused:
    """The 422 of an object: one error, or all in brackets, every distinct one once."""
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    errors = list(dict.fromkeys(f"{c.field}: {c.message}" for c in causes))
    body = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
    return Refused(422, f'{kind} "{obj["metadata"].get("name", "")}" is invalid: {body}', tuple(causes))


class Server(NamedTuple):
    """Who is asked: the release, what is stored (None: an open world), the namespace of objects that name none.

    With `open_world` there is more than what is stored. `now` is the time of the call as the server writes it
    (`2026-01-31T12:00:00Z`), "" where no clock is simulated.
    """

    release: str
    store: Store | None = None
    namespace: str = "default"
    open_world: bool = False
    now: str = ""

    @property
    def minor(self) -> int:
        """36 for the release 1.36."""
        return releases.minor(self.release)


@record
class Request:
    """What is asked of the server besides the object itself.

    `resource` is the plural that messages name (`pods`); `namespace` is empty for a cluster-scoped kind. `store` None
    means an open world in which everything that is referred to exists, and so does `open_world`. `old` is the stored
    object of an update.
    """

    group: str
    version: str
    kind: str
    resource: str
    namespace: str
    name: str
    release: str
    minor: int
    store: Store | None = None
    old: Value | None = None
    open_world: bool = False

    @property
    def operation(self) -> str:
        """CREATE or UPDATE."""
        return CREATE if self.old is None else UPDATE

    @property
    def qualified_resource(self) -> str:
        """The resource as messages print it: `pods`, `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def forbidden(self, reason: str) -> Refused:
        """The 403 of an admission plugin: `pods "web" is forbidden: <reason>`."""
        name = f' "{self.name}"' if self.name else ' "Unknown"'
        return Refused(403, f"{self.qualified_resource}{name} is forbidden: {reason}")

    @property
    def namespace_object(self) -> Value | None:
        """The Namespace that the object is in, if it is known."""
        return self.store.find("Namespace", self.namespace) if self.store and self.namespace else None

    @property
    def is_closed(self) -> bool:
        """Whether what is not there does not exist: true for a cluster whose Namespaces are known."""
        if self.store is None or self.open_world:
            return False
        return next(self.store.all("Namespace"), None) is not None
