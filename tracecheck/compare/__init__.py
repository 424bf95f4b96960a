"""What changed between two captures of one firmware: times and counts of each rule, times of each shape of transfer.

A baseline is what is compared, written down: every distribution whole, so that nothing is lost by keeping the file in
place of the capture. A shift counts where it is beyond the tolerance, beyond what the two sample periods leave open,
and beyond what so many instances show by chance.
"""

from tracecheck.compare.baseline import SCHEMA, Baseline, RuleSide, Table
from tracecheck.compare.comparison import Comparison, compared
from tracecheck.compare.measure import baseline_of
from tracecheck.compare.read import read_baseline
from tracecheck.compare.shift import Few, Shift

__all__ = [
    "SCHEMA",
    "Baseline",
    "Comparison",
    "Few",
    "RuleSide",
    "Shift",
    "Table",
    "baseline_of",
    "compared",
    "read_baseline",
]
