"""rules init: what is learned from a good capture passes on it, and fails where the same firmware misbehaves."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Channel
from tracecheck.cli import main
from tracecheck.errors import CaptureError
from tracecheck.learn import learn
from tracecheck.learn.draft import quoted
from tracecheck.learn.pins import channel_text
from tracecheck.learn.times import rounded
from tracecheck.rules.file import lint, load
from tracecheck.rules.model import RuleSet
from tracecheck.rules.quantity import parse_quantity

CAPTURES = Path(__file__).parent.parent / "captures"
CLEAN = sorted(path for folder in ("pico", "synthetic") for path in (CAPTURES / folder).glob("*-clean-*.sr"))
SCHEMES = ("two-buses", "one-pin", "irq-only", "two-pin")
HALF = Fraction(1, 2)


def pins(path: Path) -> RuleSet:
    scheme = next((scheme for scheme in SCHEMES if scheme in path.name), "three-pin")
    return load(path.parent / f"{scheme}.rules.toml").model_copy(update={"rules": ()})


def learned(path: Path) -> str:
    return learn(tracecheck.open(path), pins(path), HALF)[0]


def failed(path: Path, text: str) -> set[str]:
    return {result.rule.id for result in tracecheck.analyze(path, load("learned", text)).rules if result.failed}


def test_there_are_clean_captures() -> None:
    assert len(CLEAN) >= 25


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_what_was_learned_passes_where_it_was_learned(path: Path) -> None:
    text = learned(path)
    report = tracecheck.analyze(path, load("learned", text))
    assert (report.exit_code("note"), report.verdict) == (0, "pass")
    own = [result for result in report.rules if result.rule.source == "learned"]
    assert [r.rule.id for r in own if r.passed and r.rule.kind in ("order", "occurrence")], text
    assert learned(path) == text


@pytest.mark.parametrize(
    ("clean", "faulty", "rule"),
    [
        ("synthetic/synthetic-clean-three-pin-400k", "synthetic/synthetic-late-wake", "wake-after-interrupt"),
        ("synthetic/synthetic-clean-three-pin-400k", "synthetic/synthetic-late-interrupt", "interrupt-after-bus"),
        ("synthetic/synthetic-clean-three-pin-400k", "synthetic/synthetic-long-handler", "handler"),
        ("synthetic/synthetic-clean-three-pin-400k", "synthetic/synthetic-lost-wake", "write-0x3c-1to15-order"),
        (
            "synthetic/synthetic-clean-three-pin-400k",
            "synthetic/synthetic-lost-interrupt",
            "write-0x3c-1to15-interrupts",
        ),
        ("synthetic/synthetic-clean-three-pin-400k", "synthetic/synthetic-nack", "acknowledged"),
        ("pico/pico-clean-unseen-mixed-400k", "pico/pico-hog-executor", "wake-after-interrupt"),
        ("pico/pico-clean-unseen-mixed-100k-two-pin", "pico/pico-unseen-hog-executor", "wake-after-interrupt"),
        ("pico/pico-clean-unseen-mixed-400k", "pico/pico-late-interrupt", "interrupt-after-bus"),
        ("pico/pico-clean-unseen-mixed-400k", "pico/pico-extra-interrupt", "write-0x3c-1to15-interrupts"),
        ("pico/pico-clean-unseen-mixed-400k", "pico/pico-nack", "acknowledged"),
    ],
)
def test_what_was_learned_catches_faults(clean: str, faulty: str, rule: str) -> None:
    assert rule in failed(CAPTURES / f"{faulty}.sr", learned(CAPTURES / f"{clean}.sr"))


def test_a_capture_with_other_devices_is_told() -> None:
    text = learned(CAPTURES / "pico" / "pico-clean-writes-100k.sr")
    assert "known-addresses" in failed(CAPTURES / "pico" / "pico-clean-reads-100k.sr", text)


def test_the_margin_is_the_distance_of_the_bound() -> None:
    path = CAPTURES / "synthetic" / "synthetic-clean-three-pin-400k.sr"
    capture = tracecheck.open(path)
    within = {}
    for margin in (Fraction(0), HALF, Fraction(2)):
        text, _ = learn(capture, RuleSet(), margin)
        (rule,) = (rule for rule in load("learned", text).rules if rule.id == "wake-after-interrupt")
        within[margin] = rule.within.amount  # type: ignore[union-attr]
        assert failed(path, text) == set()
        (result,) = (r for r in tracecheck.analyze(path, load("learned", text)).rules if r.rule.id == rule.id)
        assert result.inconclusive == 0
    for margin, bound in within.items():
        assert bound == pytest.approx(float(within[Fraction(0)] * (1 + margin)), rel=0.01)


def test_presets_that_do_not_fit_are_left_out_with_the_reason() -> None:
    blocking = CAPTURES / "pico" / "pico-clean-blocking.sr"
    text = learned(blocking)
    assert load("learned", text).rules
    assert '"embassy-rp"' not in text.partition("[bus")[0]
    assert "# the preset embassy-rp: its rule embassy-write-ends-with-interrupt fails in all of " in text
    irq_only = learned(CAPTURES / "synthetic" / "synthetic-clean-irq-only.sr")
    assert '    "embassy-wake",  # there is no wake\n' in irq_only


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_as_toml_reads_it(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}


@given(st.fractions(Fraction(1, 1000), 10**13))
def test_bounds_are_rounded_up_by_less_than_a_hundredth(ns: Fraction) -> None:
    amount = parse_quantity(rounded(ns)).amount * 10**9
    assert ns <= amount <= max(ns * Fraction(101, 100), ns + 1)


def renamed(names: list[str]) -> ArrayCapture:
    """The clean synthetic capture, its channels called otherwise."""
    source = tracecheck.open(CAPTURES / "synthetic" / "synthetic-clean-two-pin.sr")
    words = np.zeros(source.samples, np.uint8)
    at, value = 0, 0
    for block in source.edges([channel.bit for channel in source.channels]):
        value = block.initial if not at else value
        for sample, word in zip(block.at.tolist(), block.words.tolist(), strict=True):
            words[at:sample], at, value = value, sample, word
    words[at:] = value
    return ArrayCapture(words, 24_000_000, names)


@pytest.mark.parametrize(
    "names",
    [
        ['a "quoted" \\ name', "tab\there\n", "irq\x7f", "r\u00fcn \u2028"],
        ["same", "same", "D2", "run\udcff"],
        ["", "SDA", "0x2", "'"],
    ],
)
def test_any_channel_name_gives_a_valid_file(names: list[str]) -> None:
    capture = renamed(names)
    bus, markers = "[bus.i2c0]\nscl = 0\nsda = 1\n", "[marker.irq]\nchannel = 2\n[marker.run]\nchannel = 3\n"
    asked = load("pins", f"version = 1\n{bus}{markers}")
    text, _ = learn(capture, asked, HALF)
    report = tracecheck.analyze(capture, load("learned", text))
    assert report.exit_code() == 0, text
    assert [wire["channel"] for wire in report.capture["markers"]] == names[2:]


def test_a_channel_that_nothing_can_name_is_an_error() -> None:
    capture = ArrayCapture(np.zeros(4, np.uint8), 1_000_000, ["x", "x", "0"])
    with pytest.raises(CaptureError, match="bit 0 cannot be named: another channel is called so; rename it"):
        channel_text(capture, Channel("x", 0))


def test_the_command_writes_once_and_says_what_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.sr"
    good.write_bytes((CAPTURES / "synthetic" / "synthetic-clean-two-pin.sr").read_bytes())
    before, out = good.read_bytes(), tmp_path / "mine.toml"
    assert main(["rules", "init", str(good), "-o", str(out)]) == 0
    first = out.read_text()
    assert lint(out) == []
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(f"rules learned; try: tracecheck analyze {good} --rules {out}\n")
    out.write_text("# mine\n")
    assert main(["rules", "init", str(good), "-o", str(out)]) == 2
    said = capsys.readouterr()
    assert said.err == f"tracecheck: {out}: there is a file already; --force writes over it, -o names another\n"
    assert out.read_text() == "# mine\n"
    assert main(["rules", "init", str(good), "-o", str(out), "--force", "-q"]) == 0
    assert (out.read_text(), capsys.readouterr().err) == (first, "")
    assert main(["rules", "init", str(good), "-o", str(good), "--force"]) == 2
    assert capsys.readouterr().err == (
        f"tracecheck: {good}: this is an input; give -o another name, or the recording is lost\n"
    )
    assert good.read_bytes() == before
    assert main(["rules", "init", str(good)]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--margin", "half"], '--margin: "half" is not a percentage from 0 to 100000; write it like 50%'),
        (["--margin", "-5%"], '--margin: "-5%" is not a percentage from 0 to 100000; write it like 50%'),
        (["--margin", "9999999%"], '--margin: "9999999%" is not a percentage from 0 to 100000; write it like 50%'),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    good = CAPTURES / "synthetic" / "synthetic-clean-two-pin.sr"
    assert main(["rules", "init", str(good), *arguments]) == 2
    assert capsys.readouterr() == ("", f"tracecheck: {message}\n")


def test_nothing_to_learn_from() -> None:
    idle = ArrayCapture(np.full(1000, 3, np.uint8), 1_000_000, ["SCL", "SDA"])
    with pytest.raises(CaptureError, match="no whole transfer in it, so nothing to learn from; record for lon"):
        learn(idle, RuleSet(), HALF)
    with pytest.raises(CaptureError, match="no I2C bus was found in it; name its lines with --scl and --sda"):
        learn(ArrayCapture(np.zeros(1000, np.uint8), 1_000_000, ["A", "B"]), RuleSet(), HALF)
