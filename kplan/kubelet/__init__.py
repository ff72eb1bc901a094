"""The stand-in for the kubelets of all nodes: what becomes of a pod that is bound.

actions.py chooses what happens next and does it, outcomes.py says how the containers of a pod fare, status.py writes
down what a kubelet would report.
"""
