"""What all of a rule set is made of: frozen, and strict about its types."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A model without surprises: unknown keys and wrong types are refused, and nothing changes once it is made.

    What checks it is built when the first one is made: few rule files have all kinds of rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)
