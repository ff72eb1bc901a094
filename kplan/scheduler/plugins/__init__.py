"""The default plugins, in the order and with the weights of pkg/scheduler/apis/config/v1/default_plugins.go.

The order is the same at every extension point; it decides which refusal of a node is reported. Not here:
DynamicResources, NodeDeclaredFeatures and everything about gangs, which are not simulated.
"""

from __future__ import annotations

from kplan.scheduler.framework import FilterPlugin, ScorePlugin
from kplan.scheduler.plugins import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources_fit,
    node_unschedulable,
    node_volume_limits,
    pod_topology_spread,
    taint_toleration,
    volume_binding,
    volume_restrictions,
    volume_zone,
)

FILTERS: tuple[FilterPlugin, ...] = (
    node_unschedulable,
    node_name,
    taint_toleration,
    node_affinity,
    node_ports,
    node_resources_fit,
    volume_restrictions,
    node_volume_limits,
    volume_binding,
    volume_zone,
    pod_topology_spread,
    inter_pod_affinity,
)

SCORES: tuple[tuple[ScorePlugin, int], ...] = (
    (taint_toleration, 3),
    (node_affinity, 2),
    (node_resources_fit, 1),
    (pod_topology_spread, 2),
    (inter_pod_affinity, 2),
    (balanced_allocation, 1),
    (image_locality, 1),
)

PREEMPTION = "DefaultPreemption"
# Plugins that a configuration may name without changing what is simulated.
PASSIVE = frozenset(
    {
        "SchedulingGates",
        "PrioritySort",
        "DynamicResources",
        "DefaultBinder",
        "NodeDeclaredFeatures",
        PREEMPTION,
    }
)
