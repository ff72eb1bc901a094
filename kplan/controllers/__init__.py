"""kube-controller-manager as pure functions: one module a controller, each with `reconcile(key, control)`.

A controller names the kinds it watches and how a change of one leads to the objects to look at (`CONTROLLER`);
manager.py keeps the queue and runs it until nothing is left to do. What a controller may do stands in control.py:
read the store, write through the API server, emit an event, ask to be woken. Nothing here knows a file or a format.
"""
