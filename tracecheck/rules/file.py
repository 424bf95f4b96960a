"""Rule files, loaded: TOML text, with what it extends, to one typed RuleSet, or every mistake in it at once.

A file is at most 1 MiB. It inherits the rules, buses and markers of what it `extends` (presets by name, files relative
to it); a rule with the id of an inherited one replaces that, and `disable` drops inherited ones.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeVar

from tracecheck.errors import RuleError
from tracecheck.rules.consistency import Known, Misfit, mentions, misfits
from tracecheck.rules.library import preset_names, preset_text
from tracecheck.rules.mistakes import Mistakes, nearest
from tracecheck.rules.model import BusSpec, MarkerSpec, RuleSet, StackSpec
from tracecheck.rules.positions import Path as KeyPath
from tracecheck.rules.positions import Positions, syntax_error, too_deep
from tracecheck.rules.tables import Tables

MAX_BYTES: Final = 1 << 20
_MAX_CHAIN: Final = 32
_Spec = TypeVar("_Spec", BusSpec, MarkerSpec, StackSpec)


def load(path: str | os.PathLike[str], text: str | None = None, known_markers: Collection[str] = ()) -> RuleSet:
    """The rules of a file or preset. `text`: the file's contents, where they are at hand; `path` then only names it.

    `known_markers` are names that rules may use without a [marker.NAME], as they are declared on a command line.
    Raises RuleError with every mistake, each as `file:line:column: what; suggestion`.
    """
    name = os.fspath(path)
    return _loaded([name], {} if text is None else {name: text}, known_markers)


def load_many(paths: Iterable[str | os.PathLike[str]], known_markers: Collection[str] = ()) -> RuleSet:
    """Several files and presets as one set: settings of later ones win, and a file's rule replaces a preset's.

    Rules, buses or markers on which two files disagree are mistakes. Raises RuleError as `load` does.
    """
    names = [os.fspath(path) for path in paths]
    if not known_markers and set(names) <= {*preset_names()}:
        return _presets(tuple(names))
    return _loaded(names, {}, known_markers)


@cache
def _presets(names: tuple[str, ...]) -> RuleSet:
    """Presets never change, and neither does the set they make: read once in a process that judges many captures."""
    return _loaded(names, {}, ())


def lint(path: str | os.PathLike[str]) -> list[str]:
    """The mistakes in a rule file, one line each; an empty list when there are none."""
    try:
        load(path)
    except RuleError as error:
        return list(error.mistakes)
    return []


def _loaded(paths: Sequence[str], texts: dict[str, str], known_markers: Collection[str]) -> RuleSet:
    loader = _Loader(texts)
    rules = RuleSet()
    for path in dict.fromkeys(paths):
        source = loader.source(path, None)
        if source is not None:
            rules = loader.joined(rules, source.rules)
    loader.report(rules, known_markers)
    if lines := loader.mistakes.lines():
        raise RuleError(lines)
    return rules


@dataclass(slots=True)
class _Source:
    """A file or preset: its tables, and the set they make with all that they extend."""

    tables: Tables
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asked for a file: the tables whose `extends` names it, where in them, and who asked for those."""

    by: Tables
    at: KeyPath
    chain: tuple[str, ...]

    def refuse(self, reason: str) -> None:
        self.by.at_value(self.at, reason)


@dataclass(slots=True)
class _Loader:
    texts: dict[str, str]
    mistakes: Mistakes = field(default_factory=Mistakes)
    done: dict[str, _Source | None] = field(default_factory=dict)

    def source(self, path: str, asked: _Asked | None) -> _Source | None:
        """The file or preset of that name, loaded once; None where it cannot be read, which is then reported."""
        name = path if asked is None or path in preset_names() else _beside(asked.by.name, path)
        if asked and name in asked.chain:
            asked.refuse(f"extends runs in a circle: {' -> '.join((*asked.chain, name))}")
            return None
        chain = (*asked.chain, name) if asked else (name,)
        if asked and len(chain) > _MAX_CHAIN:
            asked.refuse(f"extends is more than {_MAX_CHAIN} files deep")
            return None
        if name not in self.done:
            self.done[name] = self._read(name, path, asked, chain)
        return self.done[name]

    def _read(self, name: str, path: str, asked: _Asked | None, chain: tuple[str, ...]) -> _Source | None:
        try:
            text = self.texts[name] if name in self.texts else _text_of(name)
        except (OSError, ValueError) as error:
            reason = _unreadable(error, path)
            if asked:
                asked.refuse(f'cannot extend "{path}": {reason}')
            else:
                self.mistakes.add(name, None, reason)
            return None
        self.mistakes.files.setdefault(name, len(self.mistakes.files))
        text = text.replace("\r\n", "\n")
        if place := too_deep(text):
            self.mistakes.add(name, place, "a key of more than 100 parts; no rule file has one")
            return None
        try:
            raw = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # ValueError: also a number of more than 4,300 digits
            self.mistakes.add(name, *syntax_error(text, error))
            return None
        tables = Tables(name, raw, Positions(text), self.mistakes)
        tables.check_top()
        inherited = RuleSet()
        for at, parent_path in tables.strings("extends"):
            parent = self.source(parent_path, _Asked(tables, at, chain))
            if parent is not None and parent.tables.name not in inherited.sources[-1:]:
                inherited = self.joined(inherited, parent.rules)
        own = tables.settings().model_copy(
            update={
                "sources": (name,),
                "buses": tables.buses(),
                "markers": tables.markers(),
                "stacks": tables.stacks(),
                "rules": tuple(tables.rules()),
            }
        )
        return _Source(tables, self.without_disabled(tables, inherited).merged(own))

    def joined(self, first: RuleSet, second: RuleSet) -> RuleSet:
        """Two sets side by side, neither of which extends the other by itself; what they disagree on is reported.

        They may have ancestors in common: what one of them made of an inherited rule or marker outlives the original.
        """
        kept = {rule.id for rule in second.rules}
        # what `second` inherits as well but does not have any more, it has disabled
        rules = {r.id: r for r in first.rules if r.source not in second.sources or r.id in kept}
        for rule in second.rules:
            old = rules.get(rule.id)
            if rule.source in first.sources or (old and rule.source in preset_names()):
                continue
            if old and old.source not in (*second.sources, *preset_names()):
                reason = f"{old.source}:{old.line} has a rule of that id too; give one another id, or disable one"
                self._report(self._tables(rule.source), Misfit("rule", rule.id, "id", reason))
            rules[rule.id] = rule
        update = {
            "rules": tuple(rules.values()),
            "buses": self._agreed("bus", first, second, first.buses, second.buses),
            "markers": self._agreed("marker", first, second, first.markers, second.markers),
            "stacks": self._agreed("stack", first, second, first.stacks, second.stacks),
        }
        return first.merged(second).model_copy(update=update)

    def report(self, rules: RuleSet, known_markers: Collection[str]) -> None:
        """Reports what does not fit together in the finished set, and in the rules that did not make it there."""
        every = [source.tables for source in self.done.values() if source]
        markers = {*known_markers, *(name for tables in every for table, name in tables.homes if table == "marker")}
        buses = {name for tables in every for table, name in tables.homes if table == "bus"}
        known = Known.of(rules, markers)
        sources = {rule.id: rule.source for rule in rules.rules}
        for misfit in misfits(rules, markers, buses):
            tables = self._tables(sources[misfit.name]) if misfit.table == "rule" else None
            self._report(tables, misfit)
        for tables in every:
            for path, owner, raw in tables.broken:
                for mention in mentions(raw):
                    if reason := known.unfit(mention):
                        tables.at_value((*path, mention.key), f"{owner}, {mention.key}: {reason}", mention.offset)

    def _agreed(
        self,
        table: Literal["bus", "marker", "stack"],
        first: RuleSet,
        second: RuleSet,
        ours: Mapping[str, _Spec],
        theirs: Mapping[str, _Spec],
    ) -> dict[str, _Spec]:
        merged = dict(ours)
        for name, spec in theirs.items():
            before = self._declaring(table, name, set(first.sources) - set(second.sources))
            here = self._declaring(table, name, set(second.sources) - set(first.sources))
            if here is None:
                continue  # from an ancestor that `first` has as well
            if before is not None and merged.get(name, spec) != spec:
                line = before.positions.key(before.homes[table, name])[0]
                reason = f"{before.name}:{line} declares it otherwise"
                self._report(here, Misfit(table, name, "", reason))
            merged[name] = spec
        return merged

    def _declaring(self, table: str, name: str, among: Collection[str]) -> Tables | None:
        """The last loaded of these sources that has the table."""
        found = [source.tables for source in self.done.values() if source and source.tables.name in among]
        return next((tables for tables in reversed(found) if (table, name) in tables.homes), None)

    def _tables(self, source: str) -> Tables | None:
        found = self.done.get(source)
        return found.tables if found else None

    def _report(self, tables: Tables | None, misfit: Misfit) -> None:
        name = (misfit.table, misfit.name)
        tables = tables or self._declaring(*name, self.done)
        words = f'{misfit.table} "{misfit.name}"{", " if misfit.key else ""}{misfit.key}: {misfit.reason}'
        if tables is None:
            self.mistakes.add("rules", None, words)
        elif misfit.key:
            tables.at_value((*tables.homes[name], misfit.key), words, misfit.offset)
        else:
            tables.at_key(tables.homes[name], words)

    def without_disabled(self, tables: Tables, inherited: RuleSet) -> RuleSet:
        """What is inherited, less what `disable` names."""
        ids = [rule.id for rule in inherited.rules]
        parents = [source.tables for source in self.done.values() if source and source.tables.name in inherited.sources]
        broken = {name for parent in parents for table, name in parent.homes if table == "rule"} - set(ids)
        for at, id_ in (disabled := tables.strings("disable")):
            if id_ not in ids and id_ not in broken:
                hint = nearest(id_, ids, "inherited")
                tables.at_value(at, f'disable: no inherited rule is called "{id_}"{hint}')
        dropped = {id_ for _, id_ in disabled}
        return inherited.model_copy(update={"rules": tuple(r for r in inherited.rules if r.id not in dropped)})


def _beside(asking: str, path: str) -> str:
    """A path written in one file, as seen from where that file is seen."""
    return os.path.normpath(Path(asking).parent / path)


def _text_of(name: str) -> str:
    if name in preset_names():
        return preset_text(name)
    with Path(name).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("larger than 1 MiB, the most that a rule file may have; split it and use extends")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"not UTF-8 text (byte {data[error.start]:#04x} in line {line})") from None


def _unreadable(error: Exception, path: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no such file or preset{nearest(path, preset_names(), 'presets')}"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a rule file"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
