"""What a suite file says, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from tracecheck.report.judged import Terms
from tracecheck.rules.mistakes import described
from tracecheck.rules.model import RuleSet, Severity


def _strings(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) and item for item in items):
        raise ValueError(f"expected a list of strings, found {described(value)}")
    return tuple(items)


def _captures(value: object) -> tuple[str, ...]:
    items = _strings(value)
    if not items:
        raise ValueError('an empty list; name captures, folders or patterns such as "recordings/*.sr"')
    return items


def _name(value: object) -> Any:
    if value == "":
        raise ValueError("an empty name; leave it out, or give one")
    return value


class SuiteSpec(BaseModel):
    """A table [[suite]], as written. Paths are relative to the suite file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, BeforeValidator(_name)] | None = None
    captures: Annotated[tuple[str, ...], BeforeValidator(_captures)]
    rules: Annotated[tuple[str, ...], BeforeValidator(_strings)] = ()
    expect: Annotated[tuple[str, ...], BeforeValidator(_strings)] = ()
    verdict: Literal["pass", "fail"] = "pass"
    fail_on: Severity = "error"
    strict: bool = False
    samplerate: str | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite with all that it names found: `captures` are paths as seen from where the suite file is seen.

    `samplerate` is as written, and makes sense. `file`: the suite file, `terms.place` its line in it.
    """

    name: str
    file: str
    captures: tuple[str, ...]
    rules: RuleSet
    terms: Terms
    samplerate: str | None
