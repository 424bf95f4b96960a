"""Which of sigrok's decoders a rule set has run, and whether what its rules name is something that they say.

The decoders' own names for what they say are asked of them, in a process of their own, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count

from tracecheck.errors import UsageError
from tracecheck.rules.mistakes import nearest
from tracecheck.rules.model import Rule, RuleSet
from tracecheck.rules.vocabulary import annotation_of


def stack_texts(rules: RuleSet) -> dict[str, str]:
    """Name and text of every stack to run: those declared, and decoders that rules name without."""
    named = {said[0]: said[0] for rule in rules.rules for said in _said(rule)}
    return named | {name: spec.decoders for name, spec in rules.stacks.items()}


def named_stacks(texts: Sequence[str]) -> dict[str, str]:
    """Texts as `--stack` takes them, by name: the topmost decoder's, with a number from the second one on.

    Raises UsageError for what is wrong with a decoder or its options, ExtraError where none can be run.
    """
    from tracecheck import stack  # noqa: PLC0415  (few runs have decoders)

    named: dict[str, str] = {}
    for text in texts:
        parsed = stack.parse_stack(text)
        stack.classes_of(parsed)
        top = parsed.layers[-1].name
        names = (top if i == 1 else f"{top}-{i}" for i in count(1))
        named[next(name for name in names if name not in named)] = text
    return named


def rules_on_stacks(rules: RuleSet) -> list[Rule]:
    """The rules that name something a decoder says."""
    return [rule for rule in rules.rules if any(_said(rule))]


def unfit_stack(text: str) -> str | None:
    """Why there can be no stack of this text, or None. Raises ExtraError where none can be run at all."""
    try:
        _classes_of(text)
    except UsageError as error:
        return str(error)
    return None


def unfit_annotation(text: str, kind: str) -> str | None:
    """Why the stack of this text says nothing of this class, or None. Raises ExtraError as `unfit_stack`."""
    try:
        known = _classes_of(text)
    except UsageError as error:
        return str(error)
    if kind in known:
        return None
    top = text.rpartition(",")[2].partition(":")[0]
    return f'{top} has no annotation "{kind}"{nearest(kind, known, "it has")}'


def _said(rule: Rule) -> Iterator[tuple[str, str]]:
    return (said for event in rule.events if (said := annotation_of(event)) is not None)


def _classes_of(text: str) -> tuple[str, ...]:
    from tracecheck import stack  # noqa: PLC0415  (few rule sets name decoders)

    parsed = stack.parse_stack(text, option="")
    return _asked(text, tuple(layer.place for layer in parsed.layers))


@lru_cache(maxsize=64)
def _asked(text: str, places: object) -> tuple[str, ...]:
    """`places`: where the decoders are, without which an answer would outlive them."""
    from tracecheck import stack  # noqa: PLC0415

    return stack.classes_of(stack.parse_stack(text, option=""))
