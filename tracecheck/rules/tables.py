"""The tables of one rule file, typed: buses, markers, rules, settings. What is wrong with them is collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from tracecheck.rules.mistakes import Mistakes, described, faults, nearest
from tracecheck.rules.model import RULE_CLASSES, AnyRule, BusSpec, MarkerSpec, RuleSet, StackSpec
from tracecheck.rules.percentile_keys import PercentileKeys
from tracecheck.rules.positions import Path, Positions
from tracecheck.rules.selector import Selector
from tracecheck.rules.vocabulary import KINDS, TIMED_KINDS
from tracecheck.words import PARAMETERS

SETTINGS: Final[tuple[str, ...]] = ("settle", "timebase_ppm", "glitch", "rise")
_TOP_KEYS: Final = ("version", "extends", "disable", "bus", "marker", "stack", "rule", *SETTINGS)
_FILLED_IN: Final = frozenset({"source", "line", "name"})
"""Fields that the loader fills in; in a file they are unknown keys."""
_SHOWN_AS: Final = {"percentiles": "p99"}
"""Fields that a file writes as keys of several names, each to an example of one."""
_TIMING_KEYS: Final[dict[tuple[str, ...], list[str]]] = {
    ("rise",): ["scl", "sda"],
    **{("limits", name): ["min", "max"] for name in PARAMETERS},
}
_Spec = TypeVar("_Spec", bound=BaseModel)


@dataclass(slots=True)
class Tables:
    """One file's parsed TOML, and where its tables stand."""

    name: str
    raw: dict[str, Any]
    positions: Positions
    mistakes: Mistakes
    homes: dict[tuple[str, str], Path] = field(default_factory=dict)
    """(table, name) of each bus, marker, stack and rule to the path of its table."""
    broken: list[tuple[Path, str, dict[str, Any]]] = field(default_factory=list)
    """Path, name in a sentence and contents of each rule that is reported and left out."""

    def at_key(self, path: Path, reason: str) -> None:
        """Reports a mistake at a key, or at a table's header."""
        self.mistakes.add(self.name, self.positions.key(path), reason)

    def at_value(self, path: Path, reason: str, offset: int | None = None) -> None:
        """Reports a mistake at a value, or at a character in it."""
        self.mistakes.add(self.name, self.positions.value(path, offset), reason)

    def strings(self, key: str) -> list[tuple[Path, str]]:
        """A top-level list of strings (one string will do), each with its path."""
        given = self.raw.get(key, [])
        items: list[tuple[Path, object]] = [((key,), given)]
        if isinstance(given, list):
            items = [((key, number), item) for number, item in enumerate(given)]
        found = [(path, item) for path, item in items if isinstance(item, str)]
        if len(found) < len(items):
            self.at_value((key,), f"{key} is a list of strings, not {described(given)}")
        return found

    def check_top(self) -> None:
        """The version, and keys that do not exist."""
        for key in self.raw.keys() - _TOP_KEYS:
            hint = nearest(key, _TOP_KEYS, "keys")
            self.at_key((key,), f'unknown key "{key}"{hint}')
        version = self.raw.get("version")
        if version is None:
            self.mistakes.add(self.name, (1, 1), "the version is missing; begin the file with version = 1")
        elif version != 1 or not isinstance(version, int) or isinstance(version, bool):
            self.at_value(("version",), f"version {described(version)} is not known; this tracecheck reads version 1")

    def settings(self) -> RuleSet:
        """A set of no rules with the settings the file gives."""
        given = {key: self.raw[key] for key in SETTINGS if key in self.raw}
        return self._typed(RuleSet, given, ((), "")) or RuleSet()

    def buses(self) -> dict[str, BusSpec]:
        return {spec.name: spec for spec in self._named("bus", BusSpec)}

    def markers(self) -> dict[str, MarkerSpec]:
        return {spec.name: spec for spec in self._named("marker", MarkerSpec)}

    def stacks(self) -> dict[str, StackSpec]:
        return {spec.name: spec for spec in self._named("stack", StackSpec)}

    def rules(self) -> list[AnyRule]:
        """The rules that are in order; the others are reported."""
        given = self.raw.get("rule", [])
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            self.at_key(("rule",), "each rule begins with the line [[rule]], in double brackets")
            return []
        found: list[AnyRule] = []
        for number, raw in enumerate(given):
            path: Path = ("rule", number)
            id_ = raw.get("id")
            owner = f'rule "{id_}"' if isinstance(id_, str) and id_ else f"rule {number + 1}"
            first = path
            if isinstance(id_, str):
                first = self.homes.setdefault(("rule", id_), path)
                if first != path:
                    line = self.positions.key(first)[0]
                    self.at_value((*path, "id"), f"{owner} is there already, in line {line}; give each rule its own id")
            rule = self._rule(raw, path, owner)
            if rule is None or first != path:
                self.broken.append((path, owner, raw))
            else:
                found.append(rule)
        return found

    def _rule(self, raw: dict[str, Any], path: Path, owner: str) -> AnyRule | None:
        kind = raw.get("kind")
        if kind is None:
            known = ", ".join(KINDS)
            self.at_key(path, f'{owner} lacks the key "kind"; add for example kind = "response" (kinds: {known})')
            return None
        if not isinstance(kind, str) or kind not in RULE_CLASSES:
            near = nearest(str(kind), KINDS, "kinds")
            shown = kind if isinstance(kind, str) else described(kind)
            reason = f'unknown kind "{shown}" in {owner}{near}'
            self.at_value((*path, "kind"), reason)
            return None
        given = PercentileKeys.of(kind, raw)
        for mistake in given.mistakes:
            report = self.at_key if mistake.at_key else self.at_value
            report((*path, *mistake.path), f"{owner}, {mistake.name}: {mistake.reason}")
        values = {key: value for key, value in raw.items() if key not in given.keys}
        renamed = {}
        if kind == "duration" and "marker" in values:
            if "of" in values:
                self.at_key((*path, "of"), f'{owner} has the keys "marker" and "of", which mean the same; keep one')
            values["of"] = values.pop("marker")
        if kind == "duration" and "of" not in raw:
            renamed = {"of": "marker"}
        filled: dict[str, Any] = {"source": self.name, "line": self.positions.key(path)[0]}
        if kind in TIMED_KINDS:
            filled["percentiles"] = given.found
        cls: type[AnyRule] = RULE_CLASSES[kind]
        rule = self._typed(cls, values, (path, owner), filled, renamed, given)
        return None if given.mistakes else rule

    def _named(self, table: str, cls: type[_Spec]) -> Iterator[_Spec]:
        given = self.raw.get(table, {})
        if not isinstance(given, dict):
            self.at_key((table,), f"a {table} is declared by a table with its name: [{table}.NAME]")
            return
        for name, raw in given.items():
            path: Path = (table, name)
            self.homes[table, name] = path
            if not isinstance(raw, dict):
                self.at_key(
                    path, f'"{name}" is no table; a {table} is declared by a table with its name: [{table}.NAME]'
                )
                continue
            spec = self._typed(cls, raw, (path, f'{table} "{name}"'), {"name": name})
            if spec is not None:
                yield spec

    def _typed(
        self,
        cls: type[_Spec],
        raw: Mapping[str, Any],
        at: tuple[Path, str],
        filled: Mapping[str, Any] | None = None,
        renamed: Mapping[str, str] | None = None,
        percentiles: PercentileKeys | None = None,
    ) -> _Spec | None:
        """`raw` as a `cls`, or None. `at`: its path, and what to call it in a sentence.

        `filled` are values that no file gives, `renamed` fields that the file calls otherwise, `percentiles` what was
        taken out of it already, with mistakes of its own.
        """
        path, owner = at
        filled, renamed = filled or {}, renamed or {}
        shown = {**_SHOWN_AS, **renamed}
        names = [shown.get(name, name) for name in cls.model_fields if name not in _FILLED_IN]
        clean = {key: value for key, value in raw.items() if key not in filled}
        for key in raw.keys() - clean.keys():
            self.at_key((*path, key), f'unknown key "{key}" in {owner} (keys: {", ".join(names)})')
        try:
            return cls.model_validate({**clean, **filled})
        except ValidationError as error:
            keys = {(): names, ("where",): list(Selector.model_fields), **_TIMING_KEYS}
            for fault in faults(error.errors(), owner, keys, renamed):
                place: Path = fault.path
                if percentiles and not place and not fault.at_key and percentiles.mistakes:
                    continue  # that no bound is left is not worth a line beside what is wrong with them
                if percentiles and place:
                    place = percentiles.places.get(str(place[0]), place)
                if fault.at_key:
                    self.at_key((*path, *place), fault.reason)
                else:
                    self.at_value((*path, *place), fault.reason, fault.offset)
        return None
