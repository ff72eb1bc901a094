"""What a kubelet puts on its own Node object: the labels that it always has.

Follows pkg/kubelet/kubelet_node_status.go (updateDefaultLabels): the host name is taken to be the name of the node.
"""

from __future__ import annotations

from kplan.controllers.control import Control
from kplan.controllers.manager import Controller, itself
from kplan.model import Key

HOST_NAME = "kubernetes.io/hostname"


def reconcile(key: Key, control: Control) -> None:
    """Give a node its host name label if it has none."""
    node = control.get(key)
    if node is None:
        return
    labels = node["metadata"].get("labels") or {}
    if HOST_NAME not in labels:
        control.update({**node, "metadata": {**node["metadata"], "labels": {**labels, HOST_NAME: key.name}}})


CONTROLLER = Controller("kubelet", {"Node": itself}, reconcile)
