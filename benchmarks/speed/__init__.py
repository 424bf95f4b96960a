"""How fast tracecheck is, and how much memory it takes, beside its peers: one command, `python -m benchmarks.speed`.

A light process (`session.py`) measures a capture. It starts others: a worker (`worker.py`), in which the jobs of
`jobs.py` and the plain inflates of `inflates.py` are timed, and whole processes of tracecheck and sigrok-cli. What was
measured becomes ratios and verdicts (`targets.py`), a page (`page.py`) and a plot (`plot.py`).
"""
