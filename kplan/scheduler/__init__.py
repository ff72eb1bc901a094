"""kube-scheduler as a pure function: from a set of stored objects to where every pod goes.

snapshot.py reads a Store; cycle.py decides about one pod with the plugins in plugins/; run.py places many, by the
fast path (fast.py) where it can; preemption.py, volumes.py and budgets.py are what they need. simulation.py and what
it uses (expand.py, drain.py, pools.py, prepare.py) answer the questions of `kplan simulate`.
"""
