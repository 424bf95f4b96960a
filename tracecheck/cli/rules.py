"""`tracecheck rules`: what ships, in words, and what is wrong with a file."""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.cli.console import Output, destination, say
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.report.findings import wrapped
from tracecheck.report.style import Style
from tracecheck.rules.describe import describe
from tracecheck.rules.file import lint, load
from tracecheck.rules.library import preset_names, preset_text, presets
from tracecheck.rules.model import RULE_CLASSES, Rule

COULD_NOT_CHECK = 2


def list_all() -> int:
    """Presets and kinds."""
    with destination(None) as out:
        style = _style(out)
        lines = [style.paint("Presets", "bold"), *_listed(presets(), style)]
        kinds = {kind: (cls.__doc__ or "").split("\n", 1)[0] for kind, cls in RULE_CLASSES.items()}
        lines += ["", style.paint("Kinds of rule", "bold"), *_listed(kinds, style)]
        lines += ["", "Show the rules of a preset: tracecheck rules show NAME"]
        out.text("\n".join(lines) + "\n")
    return 0


def show_one(name: str, *, raw: bool) -> int:
    """One preset or file. Raises UsageError, RuleError."""
    if raw:
        if name not in preset_names():
            hint = did_you_mean(name, preset_names()) or f" (presets: {', '.join(preset_names())})"
            raise UsageError(f'--raw prints presets, and none is called "{name}"{hint}')
        with destination(None) as out:
            out.text(preset_text(name))
        return 0
    rules = load(name)
    with destination(None) as out:
        style = _style(out)
        lines = [style.paint(name, "bold"), *wrapped(presets().get(name, ""), style, 2)]
        lines += [f"  marker {spec.name}: {spec.channel}, {spec.coding}" for spec in rules.markers.values()]
        for rule in rules.rules:
            lines += ["", *_rule(rule, style)]
        out.text("\n".join(lines) + "\n")
    return 0


def lint_all(files: Sequence[str]) -> int:
    """Every mistake of every file on standard output. 0: none, 2: some."""
    code = 0
    with destination(None) as out:
        for path in files:
            mistakes = lint(path)
            for mistake in mistakes:
                out.text(f"{mistake}\n")
            if mistakes:
                say(f"{path}: {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}")
                code = COULD_NOT_CHECK
            else:
                count = len(load(path).rules)
                out.text(f"{path}: no mistakes, {count} rule{'' if count == 1 else 's'}\n")
    return code


def _rule(rule: Rule, style: Style) -> list[str]:
    more = [rule.kind, rule.severity, *(["optional"] if rule.optional else [])]
    lines = [f"{style.paint(rule.id, 'bold')}  {style.paint(', '.join(more), 'dim')}"]
    lines += wrapped(f"{describe(rule)}.", style, 2)
    return lines + (wrapped(rule.why, style, 4) if rule.why else [])


def _listed(words: dict[str, str], style: Style) -> list[str]:
    indent = max(len(name) for name in words) + 4
    lines: list[str] = []
    for name, text in words.items():
        folded = wrapped(text, style, indent) or [""]
        lines += [f"  {name}".ljust(indent) + folded[0].lstrip(), *folded[1:]]
    return lines


def _style(out: Output) -> Style:
    return Style(out.width, out.colour, out.unicode)
