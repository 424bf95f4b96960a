"""The kind of rule about the bus's own timing, parameter by parameter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tracecheck.rules.limit import LimitTable
from tracecheck.rules.mistakes import ContradictionError, nearest
from tracecheck.rules.model.rule import Rule
from tracecheck.rules.parameters import AUTO, LIMITS, SPEEDS
from tracecheck.words import PARAMETERS


def _parameters(value: object) -> tuple[str, ...]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise ValueError(f"an empty list chooses nothing (parameters: {', '.join(PARAMETERS)})")
    for item in items:
        if item not in PARAMETERS:
            raise ValueError(f'there is no parameter "{item}"{nearest(str(item), PARAMETERS, "parameters")}')
    return tuple(str(item) for item in items)


class TimingRule(Rule):
    """The bus keeps to the timing of its `mode`, or to the `limits` given: each parameter between its edges."""

    kind: Literal["timing"] = "timing"
    scope: Literal["transfer"] = "transfer"
    mode: Literal["auto", "standard", "fast", "fast-plus", "smbus"] | None = None
    parameters: Annotated[tuple[str, ...], BeforeValidator(_parameters)] = ()
    without: Annotated[tuple[str, ...], BeforeValidator(_parameters)] = ()
    limits: LimitTable = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _mode_by_the_clock(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("mode") is None and "limits" not in raw:
            return {**raw, "mode": AUTO}
        return raw

    @model_validator(mode="after")
    def _coherent(self) -> TimingRule:
        for key, names in (("parameters", self.parameters), ("without", self.without)):
            if names and self.mode is None:
                raise ContradictionError(key, "it chooses among a mode's parameters; give a mode")
            known = self._of_mode()
            for name in names:
                if name not in known:
                    raise ContradictionError(key, f"mode {self.mode} has no {name} (it has {', '.join(known)})")
        if (
            self.mode is not None
            and not self.limits
            and not set(self.parameters or self._of_mode()) - set(self.without)
        ):
            raise ContradictionError("without", "no parameter is left to judge")
        return self

    def _of_mode(self) -> tuple[str, ...]:
        modes = SPEEDS if self.mode == AUTO else (self.mode,) if self.mode else ()
        return tuple(name for name in PARAMETERS if any(name in LIMITS[mode] for mode in modes))
