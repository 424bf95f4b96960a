"""Suite files, loaded: the captures and rules that a project's [[suite]] tables name, or every mistake at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from tracecheck.capture.folder import SUFFIXES, captures_in
from tracecheck.capture.rate import parse_rate
from tracecheck.errors import CaptureError, RuleError, SuiteError, UsageError, did_you_mean
from tracecheck.report.judged import Terms
from tracecheck.rules.consistency import checked
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load_many
from tracecheck.rules.library import preset_names
from tracecheck.rules.mistakes import Mistakes, described, faults, nearest
from tracecheck.rules.model import AnyRule, RuleSet
from tracecheck.rules.positions import Path as KeyPath
from tracecheck.rules.positions import Positions, syntax_error, too_deep
from tracecheck.suite.find import PYPROJECT, TABLE
from tracecheck.suite.model import Suite, SuiteSpec

MAX_BYTES: Final = 1 << 20
_MAGIC: Final = frozenset("*?[")
_TOP_KEYS: Final = ("version", "suite")
_KEYS: Final = tuple(SuiteSpec.model_fields)


def load_suites(path: str | os.PathLike[str]) -> tuple[Suite, ...]:
    """The suites of a `tracecheck.toml`, or of a `pyproject.toml`'s [tool.tracecheck].

    Every capture and rule file that it names is there. Raises SuiteError with every mistake, in the rule files too,
    each as `file:line:column: what; suggestion`.
    """
    name = os.fspath(path)
    mistakes = Mistakes()
    raw, positions = _read(name, mistakes)
    suites: list[Suite] = []
    if positions is not None:
        suites = list(_File(name, raw, positions, mistakes).suites())
    if lines := mistakes.lines():
        raise SuiteError(lines)
    return tuple(suites)


def _read(name: str, mistakes: Mistakes) -> tuple[dict[str, Any], Positions | None]:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError("larger than 1 MiB, the most that a suite file may have")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        mistakes.add(name, None, "there is no such file; check the name and the folder")
    except OSError as error:
        mistakes.add(name, None, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        mistakes.add(name, None, f"not UTF-8 text (byte {error.object[error.start]:#04x})")
    except ValueError as error:
        mistakes.add(name, None, str(error))
    else:
        if place := too_deep(text):
            mistakes.add(name, place, "a key of more than 100 parts; no suite file has one")
            return {}, None
        try:
            return tomllib.loads(text), Positions(text)
        except (ValueError, RecursionError) as error:
            mistakes.add(name, *syntax_error(text, error))
    return {}, None


@dataclass(slots=True)
class _File:
    """One suite file's parsed TOML, and where its keys stand."""

    name: str
    raw: dict[str, Any]
    positions: Positions
    mistakes: Mistakes
    loaded: dict[tuple[str, ...], RuleSet | None] = field(default_factory=dict)

    def suites(self) -> Iterator[Suite]:
        top: KeyPath = TABLE if Path(self.name).name == PYPROJECT else ()
        table: Any = self.raw
        for key in top:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        if not isinstance(table, dict) or (top and not table):
            self.mistakes.add(self.name, None, f"there is no table [{'.'.join(map(str, top))}] in it")
            return
        self._check_top(table, top)
        given = table.get("suite", [])
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            self._at_key((*top, "suite"), f"each suite begins with the line [[{'.'.join((*map(str, top), 'suite'))}]]")
            return
        if not given:
            self.mistakes.add(self.name, None, "no suites in it; write [[suite]] and captures = [...]")
        names: dict[str, int] = {}
        for number, raw in enumerate(given):
            path = (*top, "suite", number)
            label = raw.get("name") if isinstance(raw.get("name"), str) and raw.get("name") else f"suite {number + 1}"
            line = self.positions.key(path)[0]
            if label in names:
                reason = f'suite "{label}" is there already, in line {names[label]}; give each suite its own name'
                self._at_value((*path, "name"), reason)
            names.setdefault(str(label), line)
            yield from self._suite(raw, path, str(label), line)

    def _check_top(self, table: dict[str, Any], top: KeyPath) -> None:
        for key in table.keys() - _TOP_KEYS:
            self._at_key((*top, key), f'unknown key "{key}"{nearest(key, _TOP_KEYS, "keys")}')
        version = table.get("version")
        if version is None:
            where = self.positions.key(top) if top else (1, 1)
            self.mistakes.add(self.name, where, "the version is missing; begin with version = 1")
        elif version != 1 or not isinstance(version, int) or isinstance(version, bool):
            reason = f"version {described(version)} is not known; this tracecheck reads version 1"
            self._at_value((*top, "version"), reason)

    def _suite(self, raw: dict[str, Any], path: KeyPath, label: str, line: int) -> Iterator[Suite]:
        owner = f'suite "{label}"'
        try:
            spec = SuiteSpec.model_validate(raw)
        except ValidationError as error:
            for fault in faults(error.errors(), owner, {(): _KEYS}, {}):
                report = self._at_key if fault.at_key else self._at_value
                report((*path, *fault.path), fault.reason)
            return
        captures = self._captures(spec, raw, path, owner)
        rules = self._rules(spec, raw, path, owner)
        if spec.samplerate is not None:
            try:
                parse_rate(spec.samplerate)
            except UsageError as error:
                self._at_value((*path, "samplerate"), f"{owner}, samplerate: {error}")
        terms = Terms(spec.fail_on, spec.strict, spec.verdict, label, (self.name, line))
        if rules is not None:
            yield Suite(label, self.name, tuple(dict.fromkeys(captures)), rules, terms, spec.samplerate)

    def _captures(self, spec: SuiteSpec, raw: dict[str, Any], path: KeyPath, owner: str) -> list[str]:
        found: list[str] = []
        for number, pattern in enumerate(spec.captures):
            here = self._beside(pattern)
            if Path(here).is_dir():
                try:
                    found += captures_in(here)
                except CaptureError as error:
                    self._at_item(raw, path, "captures", number, f'{owner}, captures: "{pattern}" {error.reason}')
            elif Path(here).exists():
                found.append(here)
            elif _MAGIC & set(pattern):
                # Path.glob takes no absolute patterns.
                matches = glob(pattern, root_dir=Path(self.name).parent, recursive=True)  # noqa: PTH207
                files = sorted(file for file in map(self._beside, matches) if Path(file).is_file())
                if not files:
                    self._at_item(raw, path, "captures", number, f'{owner}, captures: nothing matches "{pattern}"')
                found += files
            else:
                reason = f'{owner}, captures: there is no "{pattern}"{_near(here, SUFFIXES)}'
                self._at_item(raw, path, "captures", number, reason)
        return found

    def _rules(self, spec: SuiteSpec, raw: dict[str, Any], path: KeyPath, owner: str) -> RuleSet | None:
        names = []
        missing = False
        for number, name in enumerate(spec.rules):
            here = name if name in preset_names() else self._beside(name)
            if name not in preset_names() and not Path(here).is_file():
                hint = did_you_mean(name, preset_names()) or _near(here, (".toml",))
                self._at_item(raw, path, "rules", number, f'{owner}, rules: no file or preset "{name}"{hint}')
                missing = True
            names.append(here)
        expected = self._expected(spec, raw, path, owner)
        if missing or expected is None:
            return None
        try:
            key = tuple(names)
            if key not in self.loaded:
                self.loaded[key] = None
                self.loaded[key] = load_many(names) if names else RuleSet()
            rules = self.loaded[key]
            return None if rules is None else checked(rules.with_rules(expected))
        except RuleError as error:
            for text in error.mistakes:
                self.mistakes.quote(text)
            return None

    def _expected(self, spec: SuiteSpec, raw: dict[str, Any], path: KeyPath, owner: str) -> list[AnyRule] | None:
        found: list[AnyRule] = []
        right = True
        for number, text in enumerate(spec.expect):
            item = self._item(raw, path, "expect", number)
            try:
                rule = expect(text, number + 1)
            except RuleError as error:
                reason = error.mistakes[0].partition("\n")[0].removeprefix("--expect: ")
                self._at_value(item, f"{owner}, expect: {reason}")
                right = False
            else:
                line = self.positions.value(item)[0]
                found.append(rule.model_copy(update={"source": self.name, "line": line}))
        return found if right else None

    def _beside(self, path: str) -> str:
        """A path written in the file, as seen from where the file is seen."""
        return os.path.normpath(Path(self.name).parent / path)

    def _at_key(self, path: KeyPath, reason: str) -> None:
        self.mistakes.add(self.name, self.positions.key(path), reason)

    def _at_value(self, path: KeyPath, reason: str) -> None:
        self.mistakes.add(self.name, self.positions.value(path), reason)

    def _at_item(self, raw: dict[str, Any], path: KeyPath, key: str, number: int, reason: str) -> None:
        self._at_value(self._item(raw, path, key, number), reason)

    @staticmethod
    def _item(raw: dict[str, Any], path: KeyPath, key: str, number: int) -> KeyPath:
        """Where an item stands: in a list, or as the one string that will do for it."""
        return (*path, key, number) if isinstance(raw.get(key), list) else (*path, key)


def _near(path: str, suffixes: tuple[str, ...]) -> str:
    """`; did you mean "x"?` for a file of such a name in the same folder."""
    folder = Path(path).parent
    if not folder.is_dir():
        return f'; there is no folder "{folder}"'
    names = sorted(file.name for file in folder.iterdir() if file.name.lower().endswith(suffixes))
    return did_you_mean(Path(path).name, names[:1000])
