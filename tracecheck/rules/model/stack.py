"""Which of sigrok's decoders are run on the buses."""

from __future__ import annotations

from pydantic import model_validator

from tracecheck.rules.model.fields import Name
from tracecheck.rules.model.frozen import Frozen
from tracecheck.rules.vocabulary import RESERVED


class StackSpec(Frozen):
    """`[stack.NAME]`: decoders of sigrok to run on every bus, as `--stack` takes them. `NAME:CLASS` are its events.

    What a decoder needs no options for need not be declared: its own name will do.
    """

    name: Name
    decoders: str

    @model_validator(mode="after")
    def _coherent(self) -> StackSpec:
        if self.name in RESERVED:
            raise ValueError(f'"{self.name}" is a word of the rule language and cannot name a stack')
        return self
