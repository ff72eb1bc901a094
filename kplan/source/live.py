"""Objects of a live cluster, read with `kubectl get`: no shell, no network code here, nothing is ever written.

kubectl is the one of PATH, in the environment as it is (KUBECONFIG, proxies, credential plugins). What its messages
mean was observed with kubectl 1.32. Nothing is guessed: a kind that cannot be read is named, never taken for empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kplan.errors import KplanError

Value = dict[str, Any]

_TIMEOUT = 60.0  # seconds for one call
_ARGUMENT = 8_000  # characters of one list of kinds: the shortest limit of a command line is that of Windows

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_GROUP = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?|")
_VERSION = re.compile(r"[a-z0-9]*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?|")

_LOG = re.compile(r"[EIWF]\d{4} \d\d:\d\d")
_NO_KIND = re.compile(r"error: the server doesn't have a resource type \"(.*)\"")
_REFUSED = re.compile(r"Error from server(?: \(\w+\))?: ")
_NO_GROUP = re.compile(r"couldn't get resource list for ([^\s/:]+)/")


class Asked(NamedTuple):
    """The objects of one kind in one namespace. `version` "" is the one that the server prefers, `namespace` "" stands
    for a kind that has none."""

    group: str
    version: str
    kind: str
    namespace: str = ""

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} in namespace {self.namespace}" if self.namespace else kind


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cluster has. `failures` say why objects could not be read, `absent` are kinds that it does not know."""

    objects: tuple[Value, ...] = ()
    failures: Mapping[Asked, str] = field(default_factory=dict)
    absent: frozenset[Asked] = frozenset()


def read(asked: Iterable[Asked], context: str = "") -> Answer:
    """The objects of these kinds, one call of kubectl a namespace; `context` "" is kubectl's current one.

    Raises KplanError if there is no kubectl, no such context, or no answer from the cluster.
    """
    reading = _Reading(context)
    possible: dict[str, list[Asked]] = {}
    for one in dict.fromkeys(asked):
        if _is_possible(one):
            possible.setdefault(one.namespace, []).append(one)
        else:
            reading.absent.add(one)
    everywhere = possible.pop("", [])
    if everywhere:  # kubectl passes over the namespace for kinds that have none
        first = next(iter(possible), "")
        possible[first] = everywhere + possible.get(first, [])
    for namespace, kinds in possible.items():
        for some in _chunks(kinds):
            reading.get(some, namespace)
    return Answer(tuple(reading.objects), reading.failures, frozenset(reading.absent))


def namespace_of(context: str = "") -> str:
    """The namespace that kubectl takes where none is named. No cluster is asked. Raises KplanError."""
    done = _kubectl(context, "config", "view", "--minify", "-o", "jsonpath={..namespace}")
    if done.code:
        raise KplanError(
            f"kubectl does not say which namespace the manifests without one belong to: {_said(done.error)[0]}",
            hint="name it with -n; `kubectl config get-contexts` lists the contexts for cluster:CONTEXT",
        )
    return done.output.decode("utf-8", "replace").strip() or "default"


def _is_possible(one: Asked) -> bool:
    """Whether a server can have such objects at all: other words never become an argument of kubectl."""
    rules = zip((_GROUP, _VERSION, _KIND, _NAMESPACE), one, strict=True)
    return all(rule.fullmatch(word) for rule, word in rules)


def _argument(one: Asked) -> str:
    """`Deployment.v1.apps`, `Pod.v1.`: the form that no short name or category can be mistaken for."""
    return f"{one.kind}.{one.version}.{one.group}" if one.version else f"{one.kind}.{one.group}".rstrip(".")


def _chunks(kinds: Sequence[Asked]) -> Iterator[list[Asked]]:
    some: list[Asked] = []
    size = 0
    for one in kinds:
        length = len(_argument(one)) + 1
        if some and size + length > _ARGUMENT:
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


class _Reading:
    """What several calls found so far."""

    def __init__(self, context: str) -> None:
        self.context = context
        self.objects: list[Value] = []
        self.failures: dict[Asked, str] = {}
        self.absent: set[Asked] = set()

    def get(self, kinds: list[Asked], namespace: str) -> None:
        """Read these kinds in one call. One that fails spoils the call for all: they are then read one by one."""
        done = self._call([_argument(one) for one in kinds], namespace)
        if not done.code:
            self._take(done.output, kinds)
            return
        problem = self._problem(done)
        if len(kinds) == 1:
            self._failed(kinds[0], namespace, problem)
            return
        culprits = [one for one in kinds if one.kind == problem.unknown] or kinds
        rest = [one for one in kinds if one not in culprits]
        for one in culprits:
            self.get([one], namespace)
        if rest:
            self.get(rest, namespace)

    def _failed(self, one: Asked, namespace: str, problem: _Problem) -> None:
        """A kind that kubectl did not read: in another version, not there, or refused."""
        if not problem.unknown:
            self.failures[one] = problem.message
        elif one.group in problem.lost_groups:
            self.failures[one] = f"the server does not answer for the API group {one.group}"
        elif one.version and one.group:
            done = self._call([_argument(one._replace(version=""))], namespace)
            if done.code:
                self._failed(one._replace(version=""), namespace, self._problem(done))
                self._attribute(one)
            else:
                self._take(done.output, [one])
        else:
            self.absent.add(one)

    def _attribute(self, one: Asked) -> None:
        """What became of the kind in any version, said of the version that was asked for."""
        other = one._replace(version="")
        if other in self.failures:
            self.failures[one] = self.failures.pop(other)
        if other in self.absent:
            self.absent.remove(other)
            self.absent.add(one)

    def _take(self, output: bytes, kinds: list[Asked]) -> None:
        try:
            found = list(_objects(json.loads(output))) if output.strip() else []
        except (ValueError, RecursionError):
            for one in kinds:
                self.failures[one] = "kubectl answered with something that is no list of objects"
            return
        self.objects += found

    def _call(self, kinds: list[str], namespace: str) -> _Done:
        where = ["-n", namespace] if namespace else []
        flags = ("-o", "json", "--ignore-not-found", "--show-managed-fields")
        return _kubectl(self.context, "get", ",".join(kinds), *where, *flags)

    def _problem(self, done: _Done) -> _Problem:
        """What kubectl complains about. Raises KplanError for what no other kind can be free of."""
        said = _said(done.error)
        unknown = next((m[1] for line in said if (m := _NO_KIND.match(line))), "")
        refused = [line for line in said if _REFUSED.match(line)]
        if not unknown and not refused:
            name = f"the cluster of context {self.context}" if self.context else "the cluster"
            raise KplanError(f"kubectl cannot read {name}: {said[0]}", hint="does `kubectl get namespaces` work here?")
        lost = frozenset(_NO_GROUP.findall(done.error.decode("utf-8", "replace")))
        return _Problem(unknown, refused[0] if refused else "", lost)


class _Problem(NamedTuple):
    """`unknown` is the kind that the server does not have; `lost_groups` are those that it does not answer for."""

    unknown: str
    message: str
    lost_groups: frozenset[str]


def _objects(answer: Any) -> Iterator[Value]:
    """The objects of a List, or the one object. Raises ValueError for anything else."""
    if isinstance(answer, dict) and isinstance(answer.get("items"), list) and str(answer.get("kind")).endswith("List"):
        for item in answer["items"]:
            yield from _objects(item)
        return
    meta = answer.get("metadata") if isinstance(answer, dict) else None
    texts = (answer.get("apiVersion"), answer.get("kind"), meta.get("name")) if isinstance(meta, dict) else (None,)
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("no object")
    yield answer


def _said(error: bytes) -> list[str]:
    """What kubectl told the user, without its log; never empty."""
    lines = [line.strip() for line in error.decode("utf-8", "replace").splitlines()]
    log = [line for line in lines if line]
    told = [line for line in log if not _LOG.match(line) and not line.startswith("Warning:")]
    return told or log[-1:] or ["it failed and said nothing"]


class _Done(NamedTuple):
    code: int
    output: bytes
    error: bytes


def _kubectl(context: str, *arguments: str) -> _Done:
    import shutil
    import subprocess  # slow to load, and seldom needed

    program = shutil.which("kubectl")
    if program is None:
        raise KplanError(
            "kubectl is not installed, and a live cluster is read with it",
            hint="--against FILE takes the output of `kubectl get ... -o yaml --show-managed-fields`",
        )
    command = [program, *([f"--context={context}"] if context else []), *arguments]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)  # noqa: S603 - no shell
    except OSError as error:
        raise KplanError(f"kubectl cannot be run: {error.strerror or error}") from error
    with process:
        try:
            output, errors = process.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise KplanError(
                f"kubectl gave no answer within {_TIMEOUT:.0f} s", hint="does `kubectl get namespaces` work here?"
            ) from error
        finally:
            if process.poll() is None:  # a program that it started may hold the pipes: they are not waited for
                process.kill()
    return _Done(process.returncode, output, errors)
