"""How the containers of a pod fare once they are started.

Nobody can know that from a manifest: by default what can start becomes ready and stays so, and the containers of a Job
end with 0. A script says otherwise for images or pods. Images under the reserved top-level domain `.example` (RFC 2606)
carry it in their tag, which makes examples and tests self-contained: `never-ready…` runs and never becomes ready,
`crash…` falls over at once, `exitN` ends with code N, `run` and all others run for ever. What else the tag says may
stand before or behind that, set off by a dash, dot or underscore (`2-crash`, `exit1-2`). Two annotations go with them:
`fake-kubelet/exit-codes: "i:N,…"` for the index i of a Job, `fake-kubelet/fail-first: "n"` for pods of an owner
of which the first n to end fail and the others succeed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from kplan.controllers import pods
from kplan.controllers.control import Control, controller_of
from kplan.kubelet import restarts
from kplan.kubelet.scripted import scripted

Value = dict[str, Any]
Script = Mapping[str, "Outcome"]

_EXAMPLE = re.compile(r"[^/]+\.example(?::\d+)?/.*:(?P<tag>[^:/@]+)")
_NEVER_READY, _CRASH = (re.compile(rf"(?:^|[-._]){word}") for word in ("never-ready", "crash"))
_EXIT = re.compile(r"(?:^|[-._])exit(\d{1,3})(?=[-._]|$)")
_CODES, _FAIL_FIRST = "fake-kubelet/exit-codes", "fake-kubelet/fail-first"
_INDEX = "batch.kubernetes.io/job-completion-index"
_MOST_RESTARTS = 7


class Outcome(NamedTuple):
    """What the containers do: become ready, crash, or end with `exit_code` (None: run for ever).

    `failing_probe` is startup, liveness or readiness: containers with such a probe fail it.
    """

    ready: bool = True
    crashes: bool = False
    exit_code: int | None = None
    failing_probe: str = ""

    def ends(self, pod: Value) -> bool:
        """Whether there is an end still to come for a pod that runs."""
        if self.exit_code is None:
            return False
        again = restarts.again(pod, self.exit_code)
        if any(name not in again for name in _not_ended(pod)):
            return True
        return self.exit_code != 0 and pods.restarts(pod) < _MOST_RESTARTS


RUNS = Outcome()


def outcome_of(pod: Value, script: Script | None, control: Control) -> Outcome:
    """How a pod fares: by the script for its name, workload or image, by the tags of examples, else well."""
    found = _outcome_of(pod, script, control)
    counted = pod["spec"].get("restartPolicy") in ("OnFailure", "Never")  # by a Job, or it ends the pod
    return Outcome(exit_code=1) if found.crashes and (counted or not restarts.again(pod, 1)) else found


def _outcome_of(pod: Value, script: Script | None, control: Control) -> Outcome:
    said = scripted(pod, script, control.store) if script else None
    if said is not None:
        return said
    images = [str(c.get("image") or "") for c in pod["spec"].get("containers") or ()]
    tags = [m["tag"] for image in images if (m := _EXAMPLE.fullmatch(image))]
    if len(tags) != len(images):
        of_job = (controller_of(pod) or {}).get("kind") == "Job"
        return Outcome(exit_code=0) if of_job else RUNS
    return _annotated(pod, _of_tags(tags), control)


def of_image(image: str, script: Script | None) -> Outcome | None:
    """How a container of this image fares by itself, None if nobody says anything of it."""
    if script is not None and image in script:
        return script[image]
    tag = _EXAMPLE.fullmatch(image)
    return _of_tags([tag["tag"]]) if tag is not None else None


def _of_tags(tags: list[str]) -> Outcome:
    if any(map(_CRASH.search, tags)):
        return Outcome(ready=False, crashes=True)
    if any(map(_NEVER_READY.search, tags)):
        return Outcome(ready=False)
    codes = [int(m[1]) for t in tags if (m := _EXIT.search(t))]
    return Outcome(exit_code=max(codes)) if codes and len(codes) == len(tags) else RUNS


def _annotated(pod: Value, otherwise: Outcome, control: Control) -> Outcome:
    notes = pod["metadata"].get("annotations") or {}
    codes = dict(entry.split(":", 1) for entry in notes.get(_CODES, "").split(",") if ":" in entry)
    own = codes.get(notes.get(_INDEX, ""))
    if own is not None and own.isdigit():
        return Outcome(exit_code=int(own))
    first = notes.get(_FAIL_FIRST, "")
    if first.isdigit():
        return Outcome(exit_code=1 if _ended_before(pod, control) < int(first) else 0)
    return otherwise


def _ended_before(pod: Value, control: Control) -> int:
    """How often pods of the same owner have ended, each restart of a container counted."""
    ref = controller_of(pod)
    owner = control.find(ref["kind"], ref["name"], pod["metadata"]["namespace"]) if ref else None
    owned = control.owned(owner, "Pod") if owner is not None else ()
    return sum(pods.has_ended(p) + pods.restarts(p) for p in owned)


def _not_ended(pod: Value) -> list[str]:
    """The names of the containers that have not ended for good."""
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    over = {s["name"] for s in states if "terminated" in (s.get("state") or {})}
    return [c["name"] for c in pod["spec"]["containers"] if c["name"] not in over]
