"""What all rules have in common."""

from __future__ import annotations

from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model.fields import Name, Scope, Severity
from tracecheck.rules.model.frozen import Frozen
from tracecheck.rules.quantity import Quantity, exceeds
from tracecheck.rules.selector import Selector


class Rule(Frozen):
    """What all rules have in common. `source` is the file or preset it stands in, `line` its line there.

    `why` says in one sentence what a failure means. `optional`: judging nothing is no reason for exit code 2.
    """

    id: Name
    kind: str
    severity: Severity = "error"
    optional: bool = False
    scope: Scope = "capture"
    where: Selector = Selector()
    why: str = ""
    source: str = ""
    line: int = 0

    @property
    def events(self) -> tuple[str, ...]:
        """The canonical names of the events it looks at, beside those that bound its scope."""
        return ()

    def _bounds_in_order(self, low: Quantity | None, high: Quantity | None, high_key: str) -> None:
        if exceeds(low, high):
            raise ContradictionError("min", f"{low} is longer than {high_key} = {high}; no duration satisfies both")
