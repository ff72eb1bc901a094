"""Jobs and CronJobs.

Follows pkg/apis/batch/validation/validation.go (ValidateJob, ValidateJobSpecUpdate, validateCronJobSpec). The policies
of a Job about failure and success are in jobpolicies.py, schedules in cron.py.
"""

from __future__ import annotations

from kplan import labels
from kplan.api.validation import metadata, names
from kplan.api.validation.cron import schedule_fault, time_zone_fault
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import label_selector
from kplan.api.validation.jobpolicies import indexed_limits, pod_failure_policy, success_policy
from kplan.api.validation.jobupdates import job_update
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.pods import template_options
from kplan.api.validation.podspec import pod_template
from kplan.api.validation.rollouts import is_sound, selects_template, template_labels
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

MODES = ("NonIndexed", "Indexed")
REPLACEMENT_POLICIES = ("Failed", "TerminatingOrFailed")
CONCURRENCY_POLICIES = ("Allow", "Forbid", "Replace")
UID_LABEL, NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
OLD_UID_LABEL, OLD_NAME_LABEL = "controller-uid", "job-name"

_NUMBERS = (
    "parallelism completions activeDeadlineSeconds backoffLimit ttlSecondsAfterFinished backoffLimitPerIndex "
    "maxFailedIndexes"
).split()
_MANAGED_BY_LENGTH = 63
_CRON_JOB_NAME = 52


def create_job(job: Value, errors: Errors, context: Context) -> None:
    """A new Job."""
    _job(job, errors, context, PodOptions(context.minor), prefixed=True)


def update_job(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed Job. The registry checks the new object and then the change, which checks its spec once more."""
    template = (old.get("spec") or {}).get("template") or {}
    options, had = template_options(template, context.minor), template_labels(template)
    _job(new, errors, context, options, prefixed=NAME_LABEL in had and UID_LABEL in had)
    metadata.update(new, old, errors)
    _job_and_selector(errors, new.get("spec") or {}, options)
    job_update(errors, new, old, context.minor)


def _job(job: Value, errors: Errors, context: Context, options: PodOptions, *, prefixed: bool) -> None:
    spec = job.get("spec") or {}
    metadata.create(job, errors, context)
    _generated_selector(errors, job, spec, prefixed)
    _job_and_selector(errors, spec, options)
    if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        name = (job.get("metadata") or {}).get("name") or ""
        last = f"{name}-{spec['completions'] - 1}"
        if names.dns1123_label(last):
            errors.invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")


def _generated_selector(errors: Errors, job: Value, spec: Value, prefixed: bool) -> None:
    """A selector that the server made agrees with the labels that it put into the template."""
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    meta = job.get("metadata") or {}
    uid, name = meta.get("uid") or "", meta.get("name") or ""
    expected = {OLD_UID_LABEL: uid, OLD_NAME_LABEL: name}
    if prefixed:
        expected |= {UID_LABEL: uid, NAME_LABEL: name}
    if not uid:
        errors.required("metadata.uid")
    have = template_labels(spec.get("template") or {})
    for key, value in expected.items():
        field = f"spec.template.metadata.labels[{key}]"
        if key not in have:
            errors.required(field, f"must be '{value}'")
        elif have[key] != value:
            errors.invalid(field, dict(sorted(have.items())), f"must be '{value}'")
    if is_sound(spec["selector"]) and not labels.matches(spec["selector"], expected):
        errors.invalid("spec.selector", label_selector(spec["selector"]), "`selector` not auto-generated")


def _job_and_selector(errors: Errors, spec: Value, options: PodOptions) -> None:
    """ValidateJobSpec: the spec of a Job, with the selector that it must have."""
    job_spec(errors, "spec", spec, options)
    selector = spec.get("selector")
    if selector is None:
        errors.required("spec.selector")
    metadata.label_selector(selector, errors, "spec.selector")
    if is_sound(selector):
        selects_template(errors, "spec.template", selector, spec.get("template") or {})


def job_spec(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    """The spec of a Job or of what a CronJob makes, without its selector."""
    for name in _NUMBERS:
        names.non_negative(errors, f"{field}.{name}", spec.get(name))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        errors.required(f"{field}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        _managed_by(errors, f"{field}.managedBy", spec["managedBy"])
    mode = spec.get("completionMode")
    if mode is not None:
        errors.one_of(f"{field}.completionMode", mode, MODES)
    if mode == "Indexed":
        indexed_limits(errors, field, spec)
    elif mode in {None, "NonIndexed"}:
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                errors.invalid(f"{field}.{name}", spec[name], "requires indexed completion mode")
    if spec.get("podFailurePolicy") is not None:
        pod_failure_policy(errors, f"{field}.podFailurePolicy.rules", spec)
    if spec.get("successPolicy") is not None:
        success_policy(errors, f"{field}.successPolicy", spec)
    if spec.get("podReplacementPolicy") is not None:
        allowed = REPLACEMENT_POLICIES if spec.get("podFailurePolicy") is None else ("Failed",)
        errors.one_of(f"{field}.podReplacementPolicy", spec["podReplacementPolicy"], allowed)
    template = spec.get("template") or {}
    pod_template(errors, f"{field}.template", template, options)
    restart = (template.get("spec") or {}).get("restartPolicy") or ""
    _restart_policy(errors, f"{field}.template.spec.restartPolicy", restart, spec)


def _managed_by(errors: Errors, field: str, name: str) -> None:
    names.domain_prefixed_path(errors, field, name)
    if names.size(name) > _MANAGED_BY_LENGTH:
        errors.too_long(field, _MANAGED_BY_LENGTH)


def _restart_policy(errors: Errors, field: str, policy: str, spec: Value) -> None:
    if policy in {"", "Always"}:
        errors.required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in {"OnFailure", "Never"}:
        errors.one_of(field, policy, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        errors.invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')


def create_cron_job(obj: Value, errors: Errors, context: Context) -> None:
    """A new CronJob."""
    metadata.create(obj, errors, context)
    _cron_job_spec(errors, obj.get("spec") or {}, None, PodOptions(context.minor))
    name = (obj.get("metadata") or {}).get("name") or ""
    if names.size(name) > _CRON_JOB_NAME:
        errors.invalid("metadata.name", name, f"must be no more than {_CRON_JOB_NAME} characters")


def update_cron_job(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed CronJob."""
    before = old.get("spec") or {}
    template = ((before.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    metadata.update(new, old, errors)
    _cron_job_spec(errors, new.get("spec") or {}, before, template_options(template, context.minor))


def _cron_job_spec(errors: Errors, spec: Value, old: Value | None, options: PodOptions) -> None:
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not schedule:
        errors.required("spec.schedule")
    else:
        may_name_zone = old is not None and "TZ" in (old.get("schedule") or "")
        _schedule(errors, schedule, zone, may_name_zone)
    names.non_negative(errors, "spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    if zone is not None and (old is None or old.get("timeZone") != zone):
        names.invalid(errors, "spec.timeZone", zone, time_zone_fault(zone))
    concurrency = spec.get("concurrencyPolicy") or ""
    if not concurrency:
        errors.required("spec.concurrencyPolicy")
    else:
        errors.one_of("spec.concurrencyPolicy", concurrency, CONCURRENCY_POLICIES)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    job_spec(errors, "spec.jobTemplate.spec", job, options)
    if job.get("selector") is not None:
        shown = label_selector(job["selector"])
        errors.invalid("spec.jobTemplate.spec.selector", shown, "`selector` will be auto-generated")
    if job.get("manualSelector"):
        errors.one_of("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        names.non_negative(errors, f"spec.{name}", spec.get(name))


def _schedule(errors: Errors, schedule: str, zone: str | None, may_name_zone: bool) -> None:
    fault = schedule_fault(schedule)
    if fault:
        errors.invalid("spec.schedule", schedule, fault)
    if "TZ" not in schedule:
        return
    if not may_name_zone:
        sentence = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.invalid("spec.schedule", schedule, sentence)
    elif zone is not None:
        errors.invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


CREATE = {("batch", "Job"): create_job, ("batch", "CronJob"): create_cron_job}
UPDATE = {("batch", "Job"): update_job, ("batch", "CronJob"): update_cron_job}
