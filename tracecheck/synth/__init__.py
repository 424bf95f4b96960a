"""Synthetic captures: a bus, a firmware and their faults, drawn from scripts with the truth beside them.

`scenario` puts the parts together; `captures/synthetic/make.py` is the list of what is kept.
"""
