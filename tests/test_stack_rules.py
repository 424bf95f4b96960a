"""What sigrok's decoders say as events of rules: beside their own table, and with decoders that misbehave."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc

import tracecheck
from tracecheck.cli import main
from tracecheck.decoding.stream import decode_capture
from tracecheck.rules.consistency import checked
from tracecheck.rules.engine import Engine
from tracecheck.rules.expect import expect
from tracecheck.rules.file import lint
from tracecheck.rules.model import OccurrenceRule, RuleSet
from tracecheck.stack import places

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
UID = DUMPS / "24aa025uid_seqrndread128_bytewrite128_seqrndread128_1ms_delay.sr"
EEPROM = DUMPS / "st_m24c02_powerup_and_reset.sr"
CLOCK = DUMPS / "ds3231_ex1.sr"
CHIP = "eeprom24xx:chip=microchip_24aa025uid"
STACK = f'version = 1\n[stack.eeprom24xx]\ndecoders = "{CHIP}"\n'

# Says of each transfer that it is one, from START to STOP, and of each data byte that it came.
DECODER = """
import sigrokdecode as srd
class Decoder(srd.Decoder):
    api_version = 3
    id = name = "spans"
    inputs = ["i2c"]
    outputs = []
    annotations = (("whole", "A transfer"), ("byte", "A byte"), ("never", "Nothing"))
    def __init__(self):
        self.begin = None
    def start(self):
        self.out = self.register(srd.OUTPUT_ANN)
    def decode(self, ss, es, data):
        {trouble}
        if data[0] == "START":
            self.begin = ss
        elif data[0].startswith("DATA"):
            self.put(ss, es, self.out, [1, ["%02X" % data[1]]])
        elif data[0] == "STOP" and self.begin is not None:
            self.put(self.begin, es, self.out, [0, ["whole"]])
"""


@pytest.fixture
def spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts the decoder above where decoders are looked for."""

    def put(trouble: str = "pass") -> None:
        folder = tmp_path / "decoders" / "spans"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("from .pd import Decoder\n")
        (folder / "pd.py").write_text(DECODER.format(trouble=trouble))
        monkeypatch.setenv("SIGROKDECODE_DIR", str(folder.parent))

    return put


def said(path: Path, stack: str, tmp_path: Path) -> list[dict[str, Any]]:
    """The table annotations, as the command line writes it."""
    out = tmp_path / "said.arrow"
    assert main(["decode", str(path), "--stack", stack, "-o", str(out), "--quiet"]) == 0
    rows: list[dict[str, Any]] = ipc.open_file(out).read_all().to_pylist()
    return rows


def judged(path: Path, *lines: str) -> dict[str, Any]:
    report = tracecheck.analyze(path, rules_of(*lines))
    return {result.rule.id: result for result in report.rules}


def rules_of(*lines: str) -> RuleSet:
    return checked(RuleSet().with_rules([expect(line, i) for i, line in enumerate(lines, 1)]))


def test_verdicts_are_those_of_the_table(tmp_path: Path) -> None:
    """A response and an absence, worked out from the table by hand."""
    rules = tmp_path / "r.toml"
    rules.write_text(
        STACK
        + '[[rule]]\nid = "pause"\nkind = "response"\ntrigger = "eeprom24xx:byte-write.end"\nresponse = "start"\n'
        + 'min = "1010us"\n[[rule]]\nid = "quiet"\nkind = "absence"\nscope = "capture"\nevent = "eeprom24xx:warnings"\n'
    )
    rows = said(UID, CHIP, tmp_path)
    starts = tracecheck.decode(UID).transfers["start"].to_pylist()
    ends = [row["end"] for row in rows if row["class"] == "byte-write"]
    gaps = [starts[bisect_left(starts, end)] - end for end in ends]
    assert len(gaps) == 32
    report = tracecheck.analyze(UID, rules)
    pause, quiet = report.rules
    assert pause.stats is not None
    assert (pause.passed + pause.failed, pause.stats.min) == (32, min(gaps) * 250)
    assert pause.failed == sum(gap <= 4040 for gap in gaps)
    assert quiet.failed == sum(row["class"] == "warnings" for row in rows)
    assert len(report.annotations) == len(rows)


def test_what_is_said_of_a_transfer_lies_in_it(spans: Callable[..., None]) -> None:
    """START and what begins with it, STOP and what ends with it, are told apart although they share a sample."""
    spans()
    ended = sum(tracecheck.decode(CLOCK).transfers["complete"].to_pylist())
    found = judged(
        CLOCK,
        "order: start spans:whole (restart | address | data)* stop spans:whole.end",
        "start -> spans:whole < 300ns",
        "spans:whole <- start within 300ns",
        "stop -> spans:whole.end < 300ns",
        "spans:whole.end <- stop within 300ns",
        "never spans:never",
    )
    for name, result in found.items():
        assert (result.failed, result.inconclusive) == (0, 0), name
    # The capture ends in its last transfer, of which nothing is said any more.
    assert ended == len(tracecheck.decode(CLOCK).transfers) - 1
    assert [found[f"expect-{i}"].passed for i in (1, 2, 3, 4, 5)] == [ended] * 5
    assert [found[f"expect-{i}"].cut for i in (1, 2, 3, 4, 5)] == [1, 1, 0, 0, 0]
    assert found["expect-6"].passed == 1


def test_events_of_other_transfers_do_not_match(spans: Callable[..., None]) -> None:
    """Orders and counts that cannot be."""
    spans()
    found = judged(
        CLOCK,
        "order: start (restart | address | data)* spans:whole stop",
        "start <- spans:whole.end within 1ns",
        "spans:byte -> spans:never",
    )
    assert found["expect-1"].failed == len(tracecheck.decode(CLOCK).transfers) - 1
    assert found["expect-2"].passed == 0 < found["expect-2"].failed
    assert found["expect-3"].passed == 0 < found["expect-3"].failed


def test_batches_do_not_matter(spans: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cut anywhere, the checks are the same, one by one."""
    spans()
    rules = tmp_path / "r.toml"
    text = "version = 1\n"
    for i, (kind, keys) in enumerate(
        [
            ("order", 'pattern = "start spans:whole (restart | address | data)* stop spans:whole.end"'),
            ("order", 'scope = "transfer"\npattern = "start (restart | spans:byte)+ stop"'),
            ("response", 'trigger = "spans:byte"\nresponse = "spans:whole.end"\nwithin = "100us"\nscope = "transfer"'),
            ("precedence", 'event = "spans:whole.end"\ncause = "spans:byte"\nwithin = "40us"\nscope = "exchange"'),
            ("occurrence", 'event = "spans:byte"\nmin = 1\nmax = 2'),
            ("recurrence", 'event = "spans:byte"\nmax = "1ms"'),
            ("absence", 'event = "spans:byte"\nscope = "transfer"'),
        ]
    ):
        text += f'[[rule]]\nid = "r{i}"\nkind = "{kind}"\n{keys}\n'
    rules.write_text(text)
    assert lint(rules) == []
    whole = tracecheck.analyze(EEPROM, rules, keep_checks=True)
    again = tracecheck.check(tracecheck.decode(EEPROM), str(rules), keep_checks=True)
    assert all(result.judged for result in whole.rules)
    assert again.checks.equals(whole.checks)
    for size in (1, 7, 100):
        monkeypatch.setattr("tracecheck.decoding.stream.BATCH_EVENTS", size)
        monkeypatch.setattr("tracecheck.capture.scan.WINDOW", 4096)
        assert tracecheck.analyze(EEPROM, rules, keep_checks=True).checks.equals(whole.checks)


@pytest.mark.parametrize(
    "trouble",
    ['raise ValueError("no")', "import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
)
def test_a_decoder_that_fails_makes_nobody_pass(
    trouble: str, spans: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    """What it left unsaid is not known; rules that do not ask it are judged."""
    spans(trouble)
    command = ["analyze", str(EEPROM), "--expect", "never spans:never", "--expect", "never glitch"]
    assert main(command) == 2
    out = " ".join(capfd.readouterr().out.split())
    assert 'i2c0: the decoder "spans"' in out
    assert "INCONCLUSIVE: 1 of 2 rules could not be checked: expect-1" in out


def test_mistakes(tmp_path: Path) -> None:
    rules = tmp_path / "r.toml"
    rules.write_text(
        'version = 1\n[stack.rom]\ndecoders = "eeprom24xx:chp=x"\n[stack.data]\ndecoders = "ds1307"\n'
        '[[rule]]\nid = "a"\nkind = "absence"\nevent = "eeprom24xx:page-wrte"\n'
        '[[rule]]\nid = "b"\nkind = "order"\npattern = "start eepron24xx:page-write stop"\n'
        '[[rule]]\nid = "c"\nkind = "absence"\nevent = "rom:page-write.foo"\n'
        '[[rule]]\nid = "d"\nkind = "absence"\nevent = "rom:page-write"\n'
        '[[rule]]\nid = "e"\nkind = "duration"\nmarker = "rom:page-write"\nmax = "1ms"\n'
        '[[rule]]\nid = "f"\nkind = "response"\ntrigger = "spi:mosi-data"\nresponse = "stop"\n'
    )
    assert [line.partition(f"{rules}:")[2] for line in lint(rules)] == [
        (
            '3:12: stack "rom", decoders: eeprom24xx has no option "chp"; did you mean "chip"? '
            "(options: chip, addr_counter)"
        ),
        '4:1: stack "data": "data" is a word of the rule language and cannot name a stack',
        '9:9: rule "a", event: eeprom24xx has no annotation "page-wrte"; did you mean "page-write"?',
        '13:18: rule "b", pattern: no decoder "eepron24xx" of sigrok; did you mean "eeprom24xx"?',
        (
            '17:9: rule "c", event: an annotation has "rom:page-write.begin" and "rom:page-write.end", '
            'not "rom:page-write.foo"'
        ),
        (
            '25:10: rule "e", marker: "rom:page-write" is no marker; from "rom:page-write.begin" to '
            '"rom:page-write.end" is kind = "response"'
        ),
        '30:11: rule "f", trigger: spi decodes logic, and this is i2c',
    ]


def test_options_of_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`--stack` takes the place of the file's stack of that name; a second one of a name has a number."""
    rules = tmp_path / "r.toml"
    rules.write_text(
        STACK + '[[rule]]\nid = "w"\nkind = "absence"\nscope = "capture"\nevent = "eeprom24xx:byte-write"\n'
    )
    command = ["analyze", str(EEPROM), "--rules", str(rules), "--quiet"]
    assert main(command) == 1
    other = tmp_path / "other.toml"
    other.write_text(rules.read_text().replace(CHIP, "i2cfilter:address=3,eeprom24xx"))
    assert main(["analyze", str(EEPROM), "--rules", str(other), "--quiet"]) == 0
    assert main([*command, "--stack", "i2cfilter:address=3,eeprom24xx"]) == 0
    both = ["--stack", "i2cfilter:address=3,eeprom24xx", "--stack", "eeprom24xx:chip=st_m24c02"]
    assert main(["analyze", str(EEPROM), *both, "--expect", "never eeprom24xx:byte-write", "--quiet"]) == 0
    assert main(["analyze", str(EEPROM), *both, "--expect", "never eeprom24xx-2:byte-write", "--quiet"]) == 1
    capfd.readouterr()
    assert main(["analyze", str(EEPROM), "--stack", "eeprom24xx:chp=1"]) == 2
    assert '--stack eeprom24xx:chp=1: eeprom24xx has no option "chp"' in capfd.readouterr().err


@pytest.mark.parametrize("command", ["analyze", "rules"])
def test_without_the_extra(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Never a pass: nothing is judged, and what to install is said."""
    monkeypatch.setattr(places, "find_spec", lambda name: None)
    rules = tmp_path / "r.toml"
    rules.write_text('version = 1\n[[rule]]\nid = "a"\nkind = "absence"\nevent = "eeprom24xx:warnings"\n')
    line = ["analyze", str(EEPROM), "--rules", str(rules)] if command == "analyze" else ["rules", "lint", str(rules)]
    assert main(line) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        'tracecheck: what "eeprom24xx" says of the bus comes from sigrok\'s decoders through pysigrok, which is not '
        "installed; try: pip install 'tracecheck[sigrok]' (in a checkout: -e '.[sigrok]')\n"
    )


def test_where_there_are_no_annotations(capfd: pytest.CaptureFixture[str]) -> None:
    """A stream and a mutant are refused, with the rules that ask for more."""
    asked = ["--expect", "never glitch", "--expect", "never eeprom24xx:warnings"]
    assert main(["watch", "-", "--unitsize", "1", "--samplerate", "1MHz", *asked]) == 2
    assert capfd.readouterr().err.endswith("or leave out these rules: expect-2\n")
    assert main(["mutate", str(EEPROM), "--rules", "i2c", "--expect", "never eeprom24xx:warnings"]) == 2
    assert "expect-1" in capfd.readouterr().err


CLOCK_TRACE = tracecheck.decode(CLOCK)
ROWS = [row for row in CLOCK_TRACE.transfers.to_pylist() if row["stop"] is not None]
EDGES = sorted({row[name] for row in ROWS for name in ("start", "stop")})
LAST = tracecheck.decode(CLOCK).transfers["start"].to_pylist()[-1]


@given(
    st.lists(st.one_of(st.integers(0, LAST - 1), st.sampled_from(EDGES)), max_size=25, unique=True),
    st.lists(st.one_of(st.integers(0, LAST - 1), st.sampled_from(EDGES)), max_size=25, unique=True),
    st.sampled_from([1, 40, 1 << 17]),
)
def test_beside_a_slow_twin(ones: list[int], others: list[int], size: int) -> None:
    """Events anywhere, in the samples of START and STOP too; those that share one with each other are left out."""
    a, b = sorted(ones), sorted(set(others) - set(ones))
    lines = ["x:a -> x:b", "x:b <- start within 100us", "start -> x:a < 50us", "stop -> x:a < 30us"]
    rules = RuleSet().with_rules(
        [
            *(expect(line, i) for i, line in enumerate(lines, 1)),
            OccurrenceRule(id="count", event="x:a", scope="transfer", min=1, max=2),
        ]
    )
    said = {"i2c0": {"x:a.begin": np.array(a, np.int64), "x:b.begin": np.array(b, np.int64)}}
    engine = Engine(rules, CLOCK_TRACE.wiring, CLOCK_TRACE.rate_hz, said=said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracecheck.decoding.stream.BATCH_EVENTS", size)
        for batch in decode_capture(tracecheck.open(CLOCK), CLOCK_TRACE.wiring):
            engine.feed(batch)
    found = {result.rule.id: (result.passed, result.failed, result.inconclusive) for result in engine.results()}
    synced = CLOCK_TRACE.synced["i2c0"]
    a, b = [at for at in a if at >= synced], [at for at in b if at >= synced]
    starts = [row["start"] for row in ROWS] + [LAST]
    stops = [row["stop"] for row in ROWS]

    def surely(samples: int, us: int) -> bool:
        """Edges so far apart are less than a sample more, on a clock that is off by up to 100 ppm."""
        return (samples + 1) * 250 * 1.0001 <= us * 1000

    def turn(at: int, triggers: list[int], *, said: bool) -> float:
        """Where it ends: at the next trigger, or the next START, which comes before what is said in its sample."""
        return min([x for x in triggers if x > at] + ([x for x in starts if x > at] if said else []), default=inf)

    def answered(at: int, answers: list[int], until: float) -> int | None:
        return next((x for x in answers if at <= x < until), None)

    verdicts = [answered(at, b, turn(at, a, said=True)) is not None for at in a if turn(at, a, said=True) <= LAST]
    assert found["expect-1"] == (sum(verdicts), len(verdicts) - sum(verdicts), 0)
    causes = [max((x for x in starts if x <= at), default=None) for at in b]
    kept = [(at, cause) for at, cause in zip(b, causes, strict=True) if cause is not None]
    assert found["expect-2"][0] == sum(surely(at - cause, 100) for at, cause in kept)
    for name, triggers, bound in (("expect-3", starts[:-1], 50), ("expect-4", stops, 30)):
        answers = [answered(at, a, turn(at, triggers, said=True)) for at in triggers]
        assert found[name][0] == sum(
            x is not None and surely(x - at, bound) for x, at in zip(answers, triggers, strict=True)
        )
    counts = [sum(row["start"] <= at <= row["stop"] for at in a) for row in ROWS]
    fine = [1 <= n <= 2 for n in counts]
    assert found["count"] == (sum(fine), len(fine) - sum(fine), 0)


def test_a_finding_says_what_the_decoder_said() -> None:
    report = tracecheck.analyze(EEPROM, rules_of("never eeprom24xx:warnings"))
    said = {(a.start, a.text.strip()) for a in report.annotations if a.kind == "warnings"}
    assert len(said) == len(report.findings) == 6
    assert {(f.sample, f.message) for f in report.findings} == {
        (start, f'eeprom24xx:warnings.begin came: "{text}"') for start, text in said
    }
