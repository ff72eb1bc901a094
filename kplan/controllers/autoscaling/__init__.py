"""HorizontalPodAutoscaler: how many replicas a scale target should have.

metrics.py reads what is measured, replicas.py computes a count from one metric, proposals.py goes through the metrics
of an autoscaler, behavior.py keeps the count within limits, decision.py does one sync as a pure function, and
horizontal.py is the controller around it.
"""
