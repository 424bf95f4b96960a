"""`--expect`: one rule in one line, for a question asked once.

irq.begin -> wake < 20us            response; also >, <=, >=, within; bounds may be left out
irq.begin -> wake p99 < 10us        of all instances together: p50, p99.9, max
irq.begin <- stop within 5us        precedence
every start > 9ms < 11ms            recurrence; also jitter < 500us, and percentiles
never glitch                        absence, in the whole capture
order: start address data* stop irq wake
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from tracecheck.errors import PatternError, RuleError, did_you_mean
from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model import AbsenceRule, AnyRule, OrderRule, PrecedenceRule, RecurrenceRule, ResponseRule
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.percentile import NAME, Percentile, in_order, share_of
from tracecheck.rules.quantity import Quantity, exceeds, parse_quantity
from tracecheck.rules.vocabulary import canonical, canonical_cause

SOURCE: Final = "--expect"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*(?::[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)?(?:\.[A-Za-z0-9_]*)?"
_TOKEN: Final = re.compile(rf"\s*(?P<text>->|<-|<=|>=|<|>|[0-9][0-9.]*\s*[^\W\d_]*|{_NAME}|\S)")
_ORDER: Final = re.compile(r"\s*order\s*:")
_UPPER: Final = ("<", "<=", "within")
_LOWER: Final = (">", ">=")
_FORMS: Final = (
    '"irq.begin -> wake < 20us", "irq.begin <- stop within 5us", "every start < 11ms", "never glitch", '
    '"order: start data* stop"'
)


def expect(text: str, number: int = 1) -> AnyRule:
    """The rule that one line asks for; its id is `expect-NUMBER`. `<` and `<=` mean the same: the bound itself passes.

    Raises RuleError that repeats the line with a caret under what was not understood. Whether the markers exist is
    not asked here (see consistency.checked).
    """
    return _Line(text).rule(f"expect-{number}")


class _Line:
    """Reads the line from left to right; `at` is where the next word begins, `word` the word, "" at the end."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.end, self.word = text, 0, 0, ""
        self.next()

    def next(self) -> str:
        """Steps on; gives the word just left."""
        left, token = self.word, _TOKEN.match(self.text, self.end)
        if token is None:
            self.at, self.word = len(self.text.rstrip()), ""
        else:
            self.at, self.word, self.end = token.start("text"), token["text"], token.end()
        return left

    def refused(self, reason: str, at: int | None = None) -> RuleError:
        at = self.at if at is None else at
        caret = "".join("\t" if char == "\t" else " " for char in self.text[:at])
        return RuleError([f"{SOURCE}: {reason}\n  {self.text}\n  {caret}^"])

    def rule(self, id_: str) -> AnyRule:
        if not self.text.strip():
            raise self.refused(f"nothing is expected; forms: {_FORMS}")
        if "\n" in self.text:
            raise RuleError([f"{SOURCE}: one line only; put longer rules into a rule file"])
        if order := _ORDER.match(self.text):
            return self.order(id_, order.end())
        if self.word == "never":
            self.next()
            event = self.event("after never")
            self.finish()
            return AbsenceRule(id=id_, source=SOURCE, event=event, scope="capture")
        if self.word == "every" and self.text[self.end :].lstrip()[:2] not in ("->", "<-"):
            self.next()
            return self.recurrence(id_)
        first = self.event("to begin with")
        arrow = self.word
        if arrow not in ("->", "<-"):
            raise self.refused(f'{self.found()} instead of "->" or "<-"; forms: {_FORMS}')
        self.next()
        second = self.event(f'after "{arrow}"', canonical if arrow == "->" else canonical_cause)
        low, high, named = self.bounds(("max",) if arrow == "->" else ())
        if arrow == "<-":
            if named:
                raise self.refused(
                    'a cause has no percentiles; ask from the cause on, with "->"', next(iter(named.values()))[0]
                )
            return PrecedenceRule(id=id_, source=SOURCE, event=first, cause=second, min=low, within=high)
        common: dict[str, Any] = {"id": id_, "source": SOURCE, "percentiles": self.percentiles(named)}
        return self.made(named, lambda: ResponseRule(**common, trigger=first, response=second, min=low, within=high))

    def recurrence(self, id_: str) -> AnyRule:
        event = self.event("after every")
        low, high, named = self.bounds(("jitter",))
        jitter = named["jitter"][1] if "jitter" in named else None
        if low is None and high is None and jitter is None and not named:
            raise self.refused('the end instead of a bound, such as "< 11ms", "jitter < 500us" or "p99 < 10ms"')
        common: dict[str, Any] = {"id": id_, "source": SOURCE, "percentiles": self.percentiles(named)}
        return self.made(named, lambda: RecurrenceRule(**common, event=event, min=low, max=high, jitter=jitter))

    def percentiles(self, named: Mapping[str, tuple[int, Quantity]]) -> tuple[Percentile, ...]:
        """Those that stand in the line, each with where."""
        found = [Percentile(name, share_of(name), bound) for name, (_, bound) in named.items() if name != "jitter"]
        try:
            return in_order(found)
        except ContradictionError as error:
            raise self.refused(f"{error.key}: {error}", named[error.key][0]) from None

    def made(self, named: Mapping[str, tuple[int, Quantity]], make: Callable[[], AnyRule]) -> AnyRule:
        """The rule, or what its keys have against each other, under the one that is named."""
        try:
            return make()
        except ValidationError as error:
            wrong = error.errors()[0]["ctx"]["error"]
            key = wrong.key if isinstance(wrong, ContradictionError) else ""
            raise self.refused(f"{key}: {wrong}" if key else str(wrong), named.get(key, (0,))[0]) from None

    def order(self, id_: str, begin: int) -> AnyRule:
        begin += len(self.text[begin:]) - len(self.text[begin:].lstrip())
        pattern = self.text[begin:].rstrip()
        try:
            compile_pattern(pattern)
            return OrderRule(id=id_, source=SOURCE, pattern=pattern)
        except PatternError as error:
            raise self.refused(error.reason, begin + error.offset) from None
        except ValidationError as error:
            raise self.refused(str(error.errors()[0]["ctx"]["error"]), begin) from None

    def event(self, where: str, form: Callable[[str], str] = canonical) -> str:
        word, at = self.word, self.at
        if not word or not (word[0].isalpha() or word[0] == "_"):
            raise self.refused(f"{self.found()} instead of an event {where}")
        self.next()
        try:
            return form(word)
        except ValueError as error:
            raise self.refused(str(error), at) from None

    def bounds(self, words: Sequence[str]) -> tuple[Quantity | None, Quantity | None, dict[str, tuple[int, Quantity]]]:
        """The lower and the upper bound of every instance, and those with a name: a percentile, or one of `words`."""
        low: Quantity | None = None
        high: Quantity | None = None
        named: dict[str, tuple[int, Quantity]] = {}
        while self.word:
            sign, at = self.word, self.at
            if sign in words or NAME.fullmatch(sign):
                self.next()
                if sign in named:
                    raise self.refused(f"a second bound for {sign}", at)
                named[sign] = (at, self.named_bound(sign, at))
                continue
            if sign not in (*_UPPER, *_LOWER):
                near = did_you_mean(sign, ["within"])
                raise self.refused(f'{self.found()} instead of "<", ">" or "within"{near}')
            self.next()
            bound = self.quantity(sign)
            if (high if sign in _UPPER else low) is not None:
                raise self.refused(f"a second {'upper' if sign in _UPPER else 'lower'} bound", at)
            low, high = (low, bound) if sign in _UPPER else (bound, high)
            if exceeds(low, high):
                raise self.refused(f"no duration is both above {low} and below {high}", at)
        return low, high, named

    def named_bound(self, name: str, at: int) -> Quantity:
        if name != "jitter":
            try:
                share_of(name)
            except ValueError as error:
                raise self.refused(str(error), at) from None
        if self.word not in _UPPER:
            raise self.refused(f'{self.found()} instead of "<" or "within" after {name}')
        sign, place = self.next(), self.at
        bound = self.quantity(sign)
        if name == "jitter" and bound.unit == "scl":
            raise self.refused('a jitter counts no SCL periods; write a time such as "500us"', place)
        return bound

    def quantity(self, sign: str) -> Quantity:
        if not self.word:
            raise self.refused(f'{self.found()} instead of a duration after "{sign}", such as 20us')
        word, at = self.word, self.at
        if word == "-":
            raise self.refused("a duration is 0 or more")
        self.next()
        try:
            return parse_quantity(word)
        except ValueError as error:
            raise self.refused(str(error), at) from None

    def finish(self) -> None:
        if self.word:
            raise self.refused(f"{self.found()} is too much; the line was complete before it")

    def found(self) -> str:
        return f'"{self.word}"' if self.word else "the end"
