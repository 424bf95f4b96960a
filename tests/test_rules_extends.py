"""Rule files that inherit: extends, disable, replacement, several files at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tracecheck.errors import RuleError
from tracecheck.rules.file import lint, load, load_many
from tracecheck.rules.library import preset_names
from tracecheck.rules.model import AbsenceRule, MarkerSpec, RuleSet

KEYS = "(keys: version, extends, disable, bus, marker, stack, rule, settle, timebase_ppm, glitch, rise)"
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("version = 1\n" + text)
        return path

    return write


def absence(id_: str, event: str) -> str:
    return f'[[rule]]\nid = "{id_}"\nkind = "absence"\nevent = "{event}"\n'


def ids(rules: RuleSet) -> list[str]:
    return [rule.id for rule in rules.rules]


def events(rules: RuleSet) -> dict[str, str]:
    return {rule.id: rule.event for rule in rules.rules if isinstance(rule, AbsenceRule)}


def test_paths_are_relative_to_the_file_that_extends(write: Write, tmp_path: Path) -> None:
    write("common/base.toml", absence("a", "nack"))
    write("common/mid.toml", 'extends = ["base.toml"]\n' + absence("b", "nack"))
    top = write("top.toml", 'extends = ["common/mid.toml", "i2c"]\ndisable = ["a"]\n')
    rules = load(top)
    assert rules.sources == (f"{tmp_path}/common/base.toml", f"{tmp_path}/common/mid.toml", "i2c", str(top))
    assert ids(rules)[0] == "b" and set(ids(rules)) == {"b", *ids(load("i2c"))}


def test_one_string_will_do(write: Write) -> None:
    assert ids(load(write("x.toml", 'extends = "i2c"\n'))) == ids(load("i2c"))


def test_a_rule_of_the_same_id_replaces_the_inherited_one_in_its_place(write: Write) -> None:
    write("base.toml", absence("a", "nack") + absence("b", "nack"))
    rules = load(write("top.toml", 'extends = ["base.toml"]\n' + absence("c", "nack") + absence("a", "restart")))
    assert ids(rules) == ["a", "b", "c"]
    assert events(rules)["a"] == "restart"
    assert rules.rules[0].source.endswith("top.toml")


def test_settings_and_markers_of_the_extending_file_win(write: Write) -> None:
    write("base.toml", 'settle = "1ms"\nglitch = "10ns"\n[marker.irq]\nchannel = "A"\n[marker.run]\nchannel = "B"\n')
    rules = load(write("top.toml", 'extends = ["base.toml"]\nsettle = "2ms"\n[marker.irq]\nchannel = "C"\n'))
    assert (str(rules.settle), str(rules.glitch), rules.timebase_ppm) == ("2ms", "10ns", 100)
    assert {name: marker.channel for name, marker in rules.markers.items()} == {"irq": "C", "run": "B"}


def test_a_marker_may_be_declared_by_either_side(write: Write) -> None:
    write("base.toml", absence("a", "led"))
    top = write("top.toml", 'extends = ["base.toml"]\n[marker.led]\nchannel = "C"\n')
    assert load(top).markers["led"].channel == "C"


def test_mistakes_in_inherited_files_stand_where_they_are(write: Write) -> None:
    base = write("base.toml", absence("a", "stp") + "sevrity = 1\n")
    top = write("top.toml", 'extends = ["base.toml", "gone.toml"]\ndisable = ["a", "b"]\nx = 1\n')
    gone = f"no such file or preset (presets: {', '.join(preset_names())})"
    assert lint(top) == [
        f'{top}:2:25: cannot extend "gone.toml": {gone}',
        f'{top}:3:17: disable: no inherited rule is called "b" (inherited: none)',
        f'{top}:4:1: unknown key "x" {KEYS}',
        f'{base}:5:9: rule "a", event: unknown event or marker "stp"; did you mean "stop"?',
        f'{base}:6:1: unknown key "sevrity" in rule "a"; did you mean "severity"?',
    ]


def test_circles_are_named(write: Write) -> None:
    a = write("a.toml", 'extends = ["b.toml"]\n')
    b = write("b.toml", 'extends = ["c.toml"]\n')
    c = write("c.toml", '\nextends = ["i2c", "a.toml"]\n')
    assert lint(a) == [f"{c}:3:19: extends runs in a circle: {a} -> {b} -> {c} -> {a}"]
    own = write("own.toml", 'extends = ["./own.toml"]\n')
    assert lint(own) == [f"{own}:2:12: extends runs in a circle: {own} -> {own}"]


def test_a_long_chain_is_refused(write: Write, tmp_path: Path) -> None:
    for number in range(40):
        write(f"{number}.toml", f'extends = ["{number + 1}.toml"]\n')
    assert lint(tmp_path / "0.toml") == [f"{tmp_path}/31.toml:2:12: extends is more than 32 files deep"]


def test_the_same_ancestor_twice_is_one(write: Write) -> None:
    write("base.toml", '[marker.irq]\nchannel = "A"\n' + absence("a", "nack") + absence("b", "nack"))
    write("left.toml", 'extends = ["base.toml"]\n[marker.irq]\nchannel = "B"\n' + absence("a", "restart"))
    write("right.toml", 'extends = ["base.toml"]\ndisable = ["b"]\n')
    for order in ('"left.toml", "base.toml"', '"base.toml", "left.toml"'):
        rules = load(write("top.toml", f"extends = [{order}]\n"))
        assert events(rules) == {"a": "restart", "b": "nack"} and rules.markers["irq"].channel == "B"
    for order in ('"right.toml", "base.toml"', '"base.toml", "right.toml"'):
        assert ids(load(write("top.toml", f"extends = [{order}]\n"))) == ["a"]


def test_strangers_that_disagree_are_a_mistake(write: Write) -> None:
    a = write("a.toml", '[marker.irq]\nchannel = "A"\n' + absence("x", "nack") + absence("y", "nack"))
    b = write("b.toml", '[marker.irq]\nchannel = "B"\n' + absence("x", "nack") + absence("z", "nack"))
    expected = [
        f'{b}:2:1: marker "irq": {a}:2 declares it otherwise',
        f'{b}:5:6: rule "x", id: {a}:4 has a rule of that id too; give one another id, or disable one',
    ]
    with pytest.raises(RuleError) as caught:
        load_many([a, b])
    assert list(caught.value.mistakes) == expected
    assert lint(write("top.toml", 'extends = ["a.toml", "b.toml"]\n')) == expected


def test_several_files_at_once(write: Write) -> None:
    a = write("a.toml", 'settle = "1ms"\n[marker.irq]\nchannel = "A"\n' + absence("x", "nack"))
    b = write("b.toml", 'settle = "2ms"\n[marker.irq]\nchannel = "A"\n' + absence("y", "nack"))
    rules = load_many([a, b, a])
    assert ids(rules) == ["x", "y"] and str(rules.settle) == "2ms"
    assert rules.markers == {"irq": MarkerSpec(name="irq", channel="A", role="irq")}
    assert load_many([]) == RuleSet()


def test_a_file_changes_a_preset_whatever_the_order(write: Write) -> None:
    mine = write("m.toml", 'extends = ["i2c"]\ndisable = ["i2c-glitch"]\n' + absence("i2c-void", "void"))
    without = write("w.toml", absence("i2c-void", "void"))
    for first, second in (("i2c", str(mine)), (str(mine), "i2c")):
        rules = load_many([first, second])
        assert "i2c-glitch" not in ids(rules) and events(rules) == {"i2c-void": "void"}
    for first, second in (("i2c", str(without)), (str(without), "i2c")):
        rules = load_many([first, second])
        assert "i2c-glitch" in ids(rules) and events(rules) == {"i2c-void": "void"}


def test_every_mistake_of_every_file(write: Write) -> None:
    a, b = write("a.toml", "x = 1\n"), write("b.toml", "y = 1\n")
    with pytest.raises(RuleError) as caught:
        load_many([b, a])
    assert list(caught.value.mistakes) == [f'{b}:2:1: unknown key "y" {KEYS}', f'{a}:2:1: unknown key "x" {KEYS}']
