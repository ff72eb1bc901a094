"""The controllers of kube-controller-manager: what they make of the objects in a store."""
