"""Where keys and values stand: toml-rs and the search by lines against each other, and against hand-counted places."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tracecheck.errors import RuleError
from tracecheck.rules.file import load
from tracecheck.rules.library import preset_names, preset_text
from tracecheck.rules.positions import Path, Positions

TEXT = '''\
# comment
version = 1

[bus.i2c0]
  scl = "S\u00b5"

[marker."my irq"]   # quoted
channel = "A"
where = { address = [1, 2], length = "3" }

[[rule]]
id = "a"
"p99.9" = 1
pattern = """
start
  stop"""

[[rule]]
  id = 'b'
where.length = "\\t1"
[rule.extra]
x = "y"
'''


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from paths(item, (*path, step))


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("version",), (2, 1), (2, 11)),
        (("bus", "i2c0"), (4, 1), (4, 1)),
        (("bus", "i2c0", "scl"), (5, 3), (5, 9)),
        (("marker", "my irq"), (7, 1), (7, 1)),
        (("marker", "my irq", "channel"), (8, 1), (8, 11)),
        (("marker", "my irq", "where"), (9, 1), (9, 9)),
        (("marker", "my irq", "where", "address"), (9, 11), (9, 21)),
        (("marker", "my irq", "where", "address", 1), (9, 25), (9, 25)),
        (("rule", 0), (11, 1), (11, 1)),
        (("rule", 0, "p99.9"), (13, 1), (13, 11)),
        (("rule", 1), (18, 1), (18, 1)),
        (("rule", 1, "id"), (19, 3), (19, 8)),
        (("rule", 1, "where", "length"), (20, 7), (20, 16)),
        (("rule", 1, "extra"), (21, 1), (21, 1)),
        (("rule", 1, "extra", "x"), (22, 1), (22, 5)),
        (("rule", 1, "absent"), (18, 1), (18, 1)),
        (("absent",), (1, 1), (1, 1)),
        ((), (1, 1), (1, 1)),
    ],
)
def test_places(path: Path, key: tuple[int, int], value: tuple[int, int]) -> None:
    positions = Positions(TEXT)
    assert (positions.key(path), positions.value(path)) == (key, value)


def test_characters_in_strings() -> None:
    positions = Positions(TEXT)
    assert positions.value(("bus", "i2c0", "scl"), 1) == (5, 11)
    assert positions.value(("rule", 0, "pattern"), 0) == (15, 1)
    assert positions.value(("rule", 0, "pattern"), 8) == (16, 3)
    assert positions.value(("rule", 1, "id"), 0) == (19, 9)
    assert positions.value(("rule", 1, "where", "length"), 1) == (20, 16), "an escape: the string's begin will do"
    assert positions.value(("version",), 3) == (2, 11)


@pytest.mark.parametrize("text", [*map(preset_text, preset_names())], ids=preset_names())
def test_the_search_finds_what_toml_rs_says(text: str) -> None:
    positions = Positions(text)
    checked = 0
    for path in paths(tomllib.loads(text)):
        if path[-1:] != () and isinstance(path[-1], str) and len(path) in (1, 3) and path != ("rule",):
            assert positions.searched(path) == positions.key(path), path
            checked += 1
    assert checked >= 2


def test_without_toml_rs_lines_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(text: str, *, toml_version: str) -> None:
        raise ValueError("young")

    monkeypatch.setattr("toml_rs.load_with_metadata", gives_up)
    positions = Positions(TEXT)
    assert positions.key(("rule", 1, "id")) == (19, 3)
    assert positions.value(("bus", "i2c0", "scl"), 1) == (5, 3)
    assert positions.key(("marker", "my irq", "where", "address")) == (9, 1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version = " + "[" * 200_000, "x.toml: not TOML: nested too deeply"),
        ("version = " + "{a=" * 200_000, "x.toml: not TOML: nested too deeply"),
        ("version = = " + "[" * 200_000, "x.toml:1:11: not TOML: Invalid value"),
        ("version = =\nx = " + "[" * 200_000, "x.toml:1:11: not TOML: extra `=`, expected nothing"),
    ],
)  # fmt: skip
def test_nesting_that_would_overflow_a_stack(text: str, place: str) -> None:
    with pytest.raises(RuleError) as caught:
        load("x.toml", text)
    assert str(caught.value) == place


@pytest.mark.parametrize("part", [".a", " . a", '."a"', ".'a'"])
def test_a_deep_key_is_refused_at_once(part: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(RuleError) as caught:
        load("x.toml", "version = 1\n[marker" + part * 250_000 + "]\n")
    column = 8 + part.index(".")
    assert str(caught.value) == f"x.toml:2:{column}: a key of more than 100 parts; no rule file has one"
    assert time.perf_counter() - begin < 5


HOSTILE = {
    "markers that lack their channel": "".join(f"[marker.m{i}]\n" for i in range(20_000)),
    "markers on one pin": "".join(
        f'[marker.m{i}]\nchannel = "A"\ncoding = "pulse-count"\npulses = 3\n' for i in range(3_000)
    ),
    "a very long pattern": f'[[rule]]\nid = "r"\nkind = "order"\npattern = "start {"a " * 450_000}"\n',
    "a very long word": f'[[rule]]\nid = "r"\nkind = "absence"\nevent = "{"a" * 900_000}"\n',
    "unknown names among many": "".join(f"[marker.m{i}]\nchannel = {i}\n" for i in range(3_000))
    + "".join(f'[[rule]]\nid = "r{i}"\nkind = "absence"\nevent = "x{i}"\n' for i in range(3_000)),
    "much to disable": "disable = [" + ", ".join(f'"r{i}"' for i in range(20_000)) + "]\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_bounded_time(name: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(RuleError) as caught:
        load("x.toml", "version = 1\n" + HOSTILE[name])
    assert caught.value.mistakes
    assert time.perf_counter() - begin < 20


def test_headers_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[marker.irq]\nchannel = "D2"\n\n  [[rule]]\nid = "a"\n[rule.where]\nlength = 1\n\n[[rule]]\nid = "b"\n'
    paths_of_headers: list[Path] = [("marker", "irq"), ("rule", 0), ("rule", 0, "where"), ("rule", 1)]
    asked = [Positions(text).key((*path, "id")) for path in paths_of_headers if path in (("rule", 0), ("rule", 1))]
    assert asked == [(5, 1), (10, 1)]

    def never(text: str, *, toml_version: str) -> None:
        pytest.fail("asked for the places of a file without a mistake")

    monkeypatch.setattr("toml_rs.load_with_metadata", never)
    positions = Positions(text)
    assert [positions.key(path) for path in paths_of_headers] == [(1, 1), (4, 3), (6, 1), (9, 1)]


def test_what_looks_like_a_header_in_a_string_is_none() -> None:
    text = 'rule = [{ id = "a", why = """\n[[rule]]\n""" }]\n'
    assert Positions(text).key(("rule", 0)) == (1, 9)
