"""`tracecheck rules`: what ships, in words, and what is wrong with a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from tracecheck.cli.console import Output, destination, say
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.report.findings import wrapped
from tracecheck.report.style import Style
from tracecheck.rules.describe import describe
from tracecheck.rules.explain import Explained, ExplainedKind, explain, explain_kind
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
    found = [(path, lint(path)) for path in files]
    with destination(None) as out:  # a reader who leaves ends this block, and changes no exit code
        for path, mistakes in found:
            for mistake in mistakes:
                out.text(f"{mistake}\n")
            if mistakes:
                say(f"{path}: {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}")
            else:
                count = len(load(path).rules)
                out.text(f"{path}: no mistakes, {count} rule{'' if count == 1 else 's'}\n")
    return COULD_NOT_CHECK if any(mistakes for _, mistakes in found) else 0


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


def explain_one(name: str, *, files: Sequence[str], as_json: bool) -> int:
    """A rule of these files and presets (none: of all presets), or a kind of rule. Raises UsageError, RuleError."""
    sources = list(files) or list(preset_names())
    rules = [rule for source in sources for rule in load(source).rules]
    found = list({(rule.source, rule.line): rule for rule in rules if rule.id == name}.values())
    if not found and name not in RULE_CLASSES:
        if name in preset_names():
            raise UsageError(f'"{name}" is a preset; tracecheck rules show {name} has its rules')
        ids = sorted({rule.id for rule in rules})
        near = did_you_mean(name, [*ids, *RULE_CLASSES])
        searched = ", ".join(sources)
        more = "" if files else "; a rule of your own: add --rules FILE"
        raise UsageError(f'no rule and no kind of rule is called "{name}"{near or more} (searched: {searched})')
    texts: list[Explained | ExplainedKind] = [explain(rule) for rule in found] or [explain_kind(name)]
    with destination(None) as out:
        if as_json:
            shown = [asdict(text) for text in texts]
            out.text(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2, ensure_ascii=False) + "\n")
        else:
            style = _style(out)
            parts = [_explained(t, style) if isinstance(t, Explained) else _explained_kind(t, style) for t in texts]
            out.text("\n\n".join("\n".join(lines) for lines in parts) + "\n")
    return 0


def _explained(text: Explained, style: Style) -> list[str]:
    more = [text.kind, text.severity, *(["optional"] if text.optional else [])]
    place = f"{text.source}:{text.line}" if text.line else text.source
    lines = [f"{style.paint(text.id, 'bold')}  {style.paint(', '.join(more), 'dim')}", f"  from {place}"]
    bounds = ", ".join(f"{name} = {value}" for name, value in text.bounds)
    for title, said in (
        ("What", f"{text.what}."),
        ("Why", text.why),
        ("Kind", f"{text.kind}: {text.kind_what}"),
        ("Scope", f"{text.scope}."),
        ("Transfers", text.where or "all"),
        ("Bounds", bounds or "none"),
    ):
        lines += ["", style.paint(title, "bold"), *wrapped(said, style, 2)] if said else []
    for title, examples in (("Passes", text.passes), ("Fails", text.fails)):
        if examples:
            lines += ["", style.paint(title, "bold")]
        for example in examples:
            lines += wrapped(_shortened(example.text) + (f"   ({example.note})" if example.note else ""), style, 2)
    if text.optional:
        lines += ["", *wrapped("Optional: that it judges nothing in a capture is no reason for exit code 2.", style, 0)]
    return lines


def _explained_kind(text: ExplainedKind, style: Style) -> list[str]:
    lines = [f"{style.paint(text.kind, 'bold')}  {style.paint('kind of rule', 'dim')}", *wrapped(text.what, style, 2)]
    for paragraph in text.how:
        lines += ["", *wrapped(paragraph, style, 2)]
    lines += ["", style.paint("Keys", "bold"), *wrapped(f"{', '.join(text.keys)}; and those of every rule", style, 2)]
    return [*lines, "", style.paint("Example", "bold"), *(f"  {line}".rstrip() for line in text.example.splitlines())]


def _shortened(sequence: str) -> str:
    """`data x 14` for fourteen in a row."""
    parts = []
    for event, run in groupby(sequence.split(" ")):
        n = len(list(run))
        parts.append(f"{event} x {n}" if n > 3 else " ".join([event] * n))
    return " ".join(parts)
