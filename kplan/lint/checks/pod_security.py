"""Check kind `pod-security`: one check of the Pod Security Standards, in the form of the release that is judged by.

Parameter: the id of the check, as in k8s.io/pod-security-admission (`hostNamespaces`, `runAsNonRoot` ...). The verdict
is that of the admission plugin; it is asked for the pod alone and for each container alone, to learn where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial

from kplan.api.admission.podsecurity import BASELINE, RESTRICTED, form_of
from kplan.api.admission.podsecurity.verdict import Check as Verdict
from kplan.api.admission.podsecurity.verdict import Pod, Violation
from kplan.errors import KplanError
from kplan.hints import Any
from kplan.lint.site import Check, Problem, Site
from kplan.workloads import CONTAINER_LISTS, PodTemplate, containers


def build(check_id: Any, trusted: bool) -> Check:  # noqa: ARG001
    """What is against one check of the Pod Security Standards, named by its id, in the form of the release."""
    forms = BASELINE.get(check_id) or RESTRICTED.get(check_id)
    if forms is None:
        raise KplanError(f"there is no Pod Security check {check_id!r}")
    in_release = cache(partial(form_of, forms))

    def check(site: Site) -> Iterable[Problem]:
        verdict, pod = in_release(site.world.minor), site.pod
        if verdict is None or pod is None:
            return ()
        try:
            good = verdict(Pod(_annotations(pod), pod.spec)) is None
            return () if good else list(_problems(pod, verdict))
        except (TypeError, AttributeError):  # null where a container should be: for the API server to say
            return ()

    return check


def _problems(pod: PodTemplate, verdict: Verdict) -> Iterable[Problem]:
    whole = verdict(_alone(pod, None))
    if whole is not None:
        yield from _of_pod(pod, verdict, whole)
    for c in containers(pod):
        role, index = c.path[-2:]
        found = verdict(_alone(pod, (str(role), int(index))))
        if found is not None and found != whole:
            yield Problem(c.path, {"detail": found.detail, "who": f"container {c.value.get('name', '')}"})


def _of_pod(pod: PodTemplate, verdict: Verdict, whole: Violation) -> Iterable[Problem]:
    """What is wrong with the pod itself; with its volumes, one by one."""
    spec = _alone(pod, None).spec
    path = (*pod.path, "spec")
    volumes = spec.get("volumes")
    found = [
        Problem((*path, "volumes", i), {"detail": one.detail, "who": "the pod"})
        for i, volume in enumerate(volumes if isinstance(volumes, list) else ())
        if (one := verdict(Pod({}, {**spec, "volumes": [volume]}))) and not verdict(Pod({}, {**spec, "volumes": []}))
    ]
    return found or [Problem(path, {"detail": whole.detail, "who": "the pod"})]


def _alone(pod: PodTemplate, container: tuple[str, int] | None) -> Pod:
    spec = {k: v for k, v in pod.spec.items() if k not in CONTAINER_LISTS}
    if container:
        role, index = container
        spec[role] = [pod.spec[role][index]]
    return Pod(_annotations(pod), spec)


def _annotations(pod: PodTemplate) -> dict[str, Any]:
    meta = pod.value.get("metadata")
    return (meta.get("annotations") or {}) if isinstance(meta, dict) else {}
