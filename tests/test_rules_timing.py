"""Rules of kind timing: each parameter of each mode just inside, just outside and within the doubt of its bound."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.errors import RuleError
from tracecheck.rules.file import load
from tracecheck.rules.model import RuleSet
from tracecheck.rules.parameters import LIMITS
from tracecheck.rules.result import RuleResult
from tracecheck.rules.verdict import Report

CAPTURES = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
RATE = 100_000_000
PPM = Fraction(100, 10**6)
SPEEDS = {"standard": (1200, 600), "fast": (300, 150), "fast-plus": (130, 60)}
"""SCL low and high in samples, well within each mode."""


class Bus:
    """A combined transfer and one more after it, of which one interval is as long as asked."""

    def __init__(self, low: int, high: int, parameter: str = "", samples: int = 0) -> None:
        self.low, self.high, self.parameter, self.samples = low, high, parameter, samples
        self.words: list[tuple[int, int, int]] = []
        self.sda = 1

    def of(self, parameter: str, usual: int) -> int:
        return self.samples if self.parameter == parameter else usual

    def hold(self, scl: int, sda: int, samples: int) -> None:
        self.words.append((scl, sda, samples))
        self.sda = sda

    def clock(self, bit: int, *, low: int = 0, move: int = -1, high: int = 0) -> None:
        low, high = low or self.low, high or self.high
        move = max(self.low // 8, 2) if move < 0 else move
        self.hold(0, self.sda if move else bit, move)
        self.hold(0, bit, low - move)
        self.hold(1, bit, high)

    def byte(self, value: int, ack: int, **special: dict[str, int]) -> None:
        for k in range(8):
            self.clock(value >> (7 - k) & 1, **special.get(f"bit{k}", {}))
        self.clock(ack, **special.get("ninth", {}))

    def start(self) -> None:
        self.hold(1, 0, self.high)

    def draw(self) -> np.ndarray:
        p, d, low, high = self.parameter, self.samples, self.low, self.high
        special = {
            "tLOW": {"bit3": {"low": d}},
            "tTIMEOUT": {"bit3": {"low": d}},
            "tHIGH": {"bit3": {"high": d}},
            "fSCL": {"bit3": {"low": d - high, "move": 2}},
            "tSU;DAT": {"bit3": {"move": low - d}},
            "tHD;DAT": {"bit3": {"move": d}},
            "tVD;ACK": {"ninth": {"move": d}},
            "tLOW:SEXT": {"ninth": {"low": low + d, "move": low + d - 4}},
            "tLOW:MEXT": {"bit3": {"low": low + d, "move": low + d - 4}},
        }.get(p, {})
        self.hold(1, 1, 20 * low)
        self.hold(1, 0, self.of("tHD;STA", high))
        self.byte(0xA0, 0)
        self.byte(0x55, 0, **special)
        self.hold(0, self.sda, 2)
        self.hold(0, 1, low)
        self.hold(1, 1, self.of("tSU;STA", high))
        self.start()
        self.byte(0xA1, 0)
        self.byte(0x55, 1, **({"bit3": {"move": d}} if p == "tVD;DAT" else {}))
        self.clock(0, high=self.of("tSU;STO", high))
        self.hold(1, 1, self.of("tBUF", 2 * low))
        self.start()
        self.byte(0x78, 0)
        self.clock(0)
        self.hold(1, 1, 20 * low)
        if p == "tSP":
            at = next(i for i, (scl, _, n) in enumerate(self.words[5:], 5) if scl and n > d + 44)
            scl, sda, n = self.words[at]
            self.words[at : at + 1] = [(scl, sda, 22), (1 - scl, sda, d), (scl, sda, n - d - 22)]
        return np.concatenate([np.full(n, scl | sda << 1, np.uint8) for scl, sda, n in self.words])


def judged(samples: np.ndarray, text: str, rate: int | None = RATE) -> Report:
    rules = load("x.toml", f"version = 1\n{text}")
    return tracecheck.analyze(ArrayCapture(samples, rate, ("SCL", "SDA")), rules)


def rule_of(report: Report, parameter: str) -> RuleResult:
    (found,) = (r for r in report.rules if r.rule.id == f"t.{parameter}")
    return found


CASES = [
    (mode, parameter, side)
    for mode in SPEEDS
    for parameter, bounds in LIMITS[mode].items()
    for side in bounds
    if parameter != "tHD;DAT"
]


@pytest.mark.parametrize(("mode", "parameter", "side"), CASES)
def test_each_bound_of_each_mode(mode: str, parameter: str, side: str) -> None:
    bound = LIMITS[mode][parameter][side].amount * RATE  # type: ignore[index]
    under, over = floor(bound * (1 - PPM)) - 1, ceil(bound * (1 + PPM)) + 1
    at_least = (side == "min") != (parameter == "fSCL")
    for samples, verdict in (
        (under, "fail" if at_least else "pass"),
        (under + 1, "inconclusive"),
        (round(bound), "inconclusive"),
        (over - 1, "inconclusive"),
        (over, "pass" if at_least else "fail"),
    ):
        glitch = 'glitch = "200ns"\n' if parameter == "tSP" else 'glitch = "0s"\n'
        text = f'{glitch}[[rule]]\nid = "t"\nkind = "timing"\nmode = "{mode}"\nparameters = ["{parameter}"]\n'
        result = rule_of(judged(Bus(*SPEEDS[mode], parameter, samples).draw(), text), parameter)
        found = {"fail": result.failed, "inconclusive": result.inconclusive, "pass": result.passed}
        others = (
            0 if parameter in ("tSU;STA", "tBUF", "tVD;DAT", "tVD;ACK", "tSP") else 1
        )  # the other transfer, which is in order
        expected = {"fail": 0, "inconclusive": 0, "pass": others}
        expected[verdict] += 1
        assert found == expected, (samples, found)


@pytest.mark.parametrize("mode", SPEEDS)
def test_data_hold_is_an_order_and_one_sample_cannot_tell_it(mode: str) -> None:
    text = f'glitch = "0s"\n[[rule]]\nid = "t"\nkind = "timing"\nmode = "{mode}"\nparameters = ["tHD;DAT"]\n'
    same = rule_of(judged(Bus(*SPEEDS[mode], "tHD;DAT", 0).draw(), text), "tHD;DAT")
    after = rule_of(judged(Bus(*SPEEDS[mode], "tHD;DAT", 1).draw(), text), "tHD;DAT")
    assert (same.failed, same.inconclusive, same.passed) == (0, 1, 1)
    assert (after.failed, after.inconclusive, after.passed) == (0, 0, 2)


SMBUS = [
    ("fSCL", 100, 1, 0, 0),
    ("tTIMEOUT", 25_000, 1, 0, 0),
    # 38 low phases, each against the shortest; the last before the repeated START is 2 samples longer, held by nobody.
    ("tLOW:SEXT", 25_000, 2 * 38, 2, 2),
    ("tLOW:MEXT", 10_000, 2 * 9, 0, 0),
]
"""Parameter, bound in samples at 1 MS/s, samples of doubt, how much more is seen than drawn, of that held by nobody."""


@pytest.mark.parametrize(("parameter", "limit", "doubt", "more", "nobodys"), SMBUS)
def test_each_bound_of_smbus_to_the_sample(parameter: str, limit: int, doubt: int, more: int, nobodys: int) -> None:
    inside, outside = floor(limit * (1 - PPM)) - doubt, ceil(limit * (1 + PPM)) + doubt
    for seen, verdict in (
        (inside, "pass"),
        (inside + 1, "inconclusive"),
        (limit, "inconclusive"),
        (outside + nobodys - 1, "inconclusive"),
        (outside + nobodys, "fail"),
    ):
        drawn = seen - more
        bus = Bus(60, drawn - 60) if parameter == "fSCL" else Bus(6, 5, parameter, drawn)
        text = f'glitch = "0s"\n[[rule]]\nid = "t"\nkind = "timing"\nmode = "smbus"\nparameters = ["{parameter}"]\n'
        result = rule_of(judged(bus.draw(), text, 1_000_000), parameter)
        found = {"fail": result.failed, "inconclusive": result.inconclusive, "pass": result.passed}
        # fSCL is that of both transfers; of the others the second transfer is in order.
        expected = dict.fromkeys(found, 0) | ({} if parameter == "fSCL" else {"pass": 1})
        expected[verdict] += 2 if parameter == "fSCL" else 1
        assert found == expected, (seen, found)
        for finding in result.findings():
            assert finding.uncertainty_ns == doubt * 1000, "as many samples as the sum has doubtful edges"
            if parameter != "fSCL":
                assert finding.value_ns == seen * 1000


def test_a_sum_of_several_stretches_is_as_doubtful_as_all_its_edges() -> None:
    bus = Bus(6, 5)
    # SDA falls for the ACK at the end of each: it was the target that held the clock.
    held = {"ninth": {"low": 6 + 13_500, "move": 13_500}}
    bus.hold(1, 1, 200)
    bus.start()
    bus.byte(0xA0, 0)
    bus.byte(0x55, 0, **held)
    bus.byte(0x0F, 0, **held)
    bus.clock(0)
    bus.hold(1, 1, 200)
    samples = np.concatenate([np.full(n, scl | sda << 1, np.uint8) for scl, sda, n in bus.words])
    text = 'glitch = "0s"\n[[rule]]\nid = "t"\nkind = "timing"\nmode = "smbus"\nparameters = ["tLOW:SEXT"]\n'
    capture = ArrayCapture(samples, 1_000_000, ("SCL", "SDA"))
    report = tracecheck.analyze(capture, load("x.toml", f"version = 1\n{text}"), keep_checks=True)
    (check,) = report.checks.to_pylist()
    assert (check["verdict"], check["value_ns"]) == ("fail", 27_000_000)
    assert check["uncertainty_ns"] == 2 * (3 * 9 + 1) * 1000


def test_a_mode_is_found_by_the_clock_and_said() -> None:
    report = judged(Bus(*SPEEDS["fast"]).draw(), '[[rule]]\nid = "t"\nkind = "timing"\n')
    assert report.exit_code() == 0
    assert (
        "t: the mode was found by the clock, fast for 2 transfers; a rule with a mode of its own is surer"
        in report.notes
    )


RISING = {
    # Seen longer than it is by SCL's rise, SDA's; seen shorter by SDA's.
    "tLOW": (("scl",), ()),
    "tHIGH": (("scl",), ()),
    "tSU;STA": (("scl",), ()),
    "tSU;DAT": (("scl", "sda"), ()),
    "tSU;STO": (("scl", "sda"), ()),
    "tBUF": (("sda",), ()),
    "tVD;DAT": ((), ("sda",)),
    "tVD;ACK": ((), ()),
    "tHD;STA": ((), ()),
}
"""The rises that bound each parameter, by the table's footnotes: falls are taken as steep."""


@pytest.mark.parametrize("parameter", RISING)
def test_rise_times_are_doubt_to_the_sample(parameter: str) -> None:
    rise = {"scl": 7, "sda": 4}
    longer, shorter = (sum(rise[line] for line in lines) for lines in RISING[parameter])
    ((side, quantity),) = LIMITS["fast"][parameter].items()
    bound = quantity.amount * RATE
    under = floor((bound - shorter) * (1 - PPM)) - 1
    over = ceil((bound + longer) * (1 + PPM)) + 1
    fails, passes = ("fail", "pass") if side == "min" else ("pass", "fail")
    for samples, verdict in ((under, fails), (under + 1, "inconclusive"), (over - 1, "inconclusive"), (over, passes)):
        rule = f'[[rule]]\nid = "t"\nkind = "timing"\nmode = "fast"\nparameters = ["{parameter}"]\n'
        text = f'glitch = "0s"\nrise = {{ scl = "70ns", sda = "40ns" }}\n{rule}'
        result = rule_of(judged(Bus(*SPEEDS["fast"], parameter, samples).draw(), text), parameter)
        found = {"fail": result.failed, "inconclusive": result.inconclusive}
        assert found == {"fail": int(verdict == "fail"), "inconclusive": int(verdict == "inconclusive")}, samples


def test_what_the_rate_cannot_decide_is_a_note_and_no_pass() -> None:
    samples = Bus(6, 5, "tHIGH", 4).draw()  # 1 MS/s: 4 us, the very bound
    rule = '[[rule]]\nid = "t"\nkind = "timing"\nmode = "standard"\nwithout = ["fSCL"]\nwhere = { length = "1.." }\n'
    report = judged(samples, rule, 1_000_000)
    result = rule_of(report, "tHIGH")
    assert result.beyond_the_rate and result.verdict == "inconclusive" and not list(result.findings())
    assert any("1,000,000 samples a second cannot decide" in note and "tHIGH" in note for note in report.notes)
    assert report.exit_code() == 0
    named = judged(samples, rule.replace("without", 'parameters = ["tHIGH"]\nwithout'), 1_000_000)
    assert named.exit_code() == 2
    assert judged(samples, rule, None).exit_code() == 2, "without a rate nothing is judged"


def test_a_trace_that_was_not_timed_is_no_pass() -> None:
    capture = ArrayCapture(Bus(*SPEEDS["fast"]).draw(), RATE, ("SCL", "SDA"))
    rules: RuleSet = load("x.toml", 'version = 1\n[[rule]]\nid = "t"\nkind = "timing"\n')
    assert tracecheck.check(tracecheck.decode(capture), rules).exit_code() == 2
    assert tracecheck.check(tracecheck.decode(capture, timings=True), rules).exit_code() == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('mode = "fats"', 'x.toml:5:8: rule "t", mode: unknown value "fats"; did you mean "fast"?'),
        (
            'parameters = ["tLOWW"]',
            'x.toml:5:14: rule "t", parameters: there is no parameter "tLOWW"; did you mean "tLOW"?',
        ),
        (
            'limits = { tLOWW = { min = "1us" } }',
            'x.toml:5:12: rule "t", limits: there is no parameter "tLOWW"; did you mean "tLOW"?',
        ),
        (
            'limits = { tLOW = { min = "2scl" } }',
            (
                'x.toml:5:27: rule "t", limits.tLOW.min: "2scl" counts SCL periods, which tLOW is a part of; '
                'write a time such as "1.3us"'
            ),
        ),
        (
            'limits = { tLOW = { min = "2us", max = "1us" } }',
            'x.toml:5:27: rule "t", limits.tLOW.min: 2us is more than max = 1us; no tLOW satisfies both',
        ),
        (
            'limits = { fSCL = { max = "2us" } }',
            (
                'x.toml:5:27: rule "t", limits.fSCL.max: "2us" is not a frequency; '
                'write for example "400kHz" (units: Hz, kHz, MHz)'
            ),
        ),
        (
            'limits = { tTIMEOUT = { min = "1ms" } }',
            'x.toml:5:31: rule "t", limits.tTIMEOUT.min: tTIMEOUT can be too long, never too short; give a max',
        ),
        ("limits = { tLOW = {} }", 'x.toml:5:19: rule "t", limits.tLOW: any value would do; give a min or a max'),
        (
            'mode = "smbus"\nwithout = ["tLOW"]',
            'x.toml:6:11: rule "t", without: mode smbus has no tLOW (it has fSCL, tTIMEOUT, tLOW:SEXT, tLOW:MEXT)',
        ),
    ],
)
def test_mistakes_are_told_with_their_place(line: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        load("x.toml", f'version = 1\n[[rule]]\nid = "t"\nkind = "timing"\n{line}\n')
    assert caught.value.mistakes == (message,)


def test_a_real_sensor_runs_its_clock_too_fast_and_holds_it_too_long() -> None:
    """Read off the samples by hand: the shortest period of transfer 0 is 75 samples of 125 ns, 9.375 us."""
    path = CAPTURES / "i2c-sht21-100khz-read-serial-hold.sr"
    standard = {r.rule.id: r.verdict for r in tracecheck.analyze(path, "i2c-standard").rules}
    assert standard["i2c-standard.fSCL"] == "fail" and standard["i2c-standard.tLOW"] == "pass"
    assert standard["i2c-standard.tHIGH"] == "inconclusive"
    smbus = {r.rule.id: r.verdict for r in tracecheck.analyze(path, "smbus").rules}
    assert smbus["smbus.tTIMEOUT"] == smbus["smbus.tLOW:SEXT"] == "fail"
