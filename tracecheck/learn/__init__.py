"""A rule file learned from a good capture: what was seen in it, as rules to edit.

Everything is measured by the very rules that will judge it, and what is written passes on the capture it was learned
from: a rule that would not, of a preset or learned, is left out, and the file says so and why.
"""

from tracecheck.learn.run import learn

__all__ = ["learn"]
