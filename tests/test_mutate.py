"""mutate: edits of edges, the seed, survivors, and what it says to wrong inputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tracecheck
from tracecheck.cli import main
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.operators import BY_NAME
from tracecheck.mutate.run import mutate
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load_many
from tracecheck.rules.model import RuleSet

CAPTURES = Path(__file__).parent.parent / "captures"
GOOD = CAPTURES / "synthetic" / "synthetic-clean-two-pin.sr"
RULES = CAPTURES / "synthetic" / "two-pin.rules.toml"


def lines(*toggles: int, end: int = 100) -> Lines:
    return Lines({0: np.array(toggles, np.int64)}, {0: 0}, end)


def test_edits() -> None:
    pulse = lines(10, 20)
    assert [pulse.level(0, at) for at in (9, 10, 19, 20)] == [0, 1, 1, 0]
    assert pulse.toggled(0, [12, 20]).toggles[0].tolist() == [10, 12]
    assert pulse.erased(0, 10, 20).toggles[0].tolist() == []
    assert pulse.forced(0, 5, 15, 1).toggles[0].tolist() == [5, 20]
    assert pulse.forced(0, 12, 15, 0).toggles[0].tolist() == [10, 12, 15, 20]
    assert pulse.waiting({0: 20}, 7).toggles[0].tolist() == [10, 27]
    assert pulse.waiting({0: 20}, 7).end == 107
    cut = pulse.cut(15, 40)
    assert (cut.toggles[0].tolist(), cut.initial, cut.end) == ([5], {0: 1}, 25)


def test_unedited_lines_are_the_capture() -> None:
    capture = tracecheck.open(GOOD)
    bits = [channel.bit for channel in capture.channels]
    again = Lines.of(capture, bits).as_capture(capture)
    whole = [np.concatenate([getattr(b, name) for b in capture.edges(bits)]) for name in ("at", "words")]
    (block,) = again.edges(bits)
    assert block.at.tolist() == whole[0].tolist() and block.words.tolist() == whole[1].tolist()
    parts = [*again.edges(bits, start=0, stop=5000), *again.edges(bits, start=5000)]
    assert [p.initial for p in parts[1:]] == [int(whole[1][np.searchsorted(whole[0], 5000, "right") - 1])]
    assert parts[0].at.tolist() == whole[0][whole[0] < 5000].tolist()


def test_the_seed_decides_and_nothing_else() -> None:
    capture, rules = tracecheck.open(GOOD), load_many([str(RULES)])
    first, again, other = (mutate(capture, rules, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert [m.operator for m in first.mutants] == [m.operator for m in other.mutants]
    assert [m.transfer for m in first.mutants] != [m.transfer for m in other.mutants]


def test_a_blind_spot_is_listed_with_its_transfer(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["mutate", str(GOOD), "--rules", "two-pin", "--expect", "irq -> wake < 50us", "--format", "json"])
    found = json.loads(capfd.readouterr().out)
    assert code == found["exit_code"] == 1
    fates = {o["name"]: o for o in found["operators"]}
    assert fates["wake-late"]["survived"] == fates["wake-dropped"]["survived"] == 0
    assert fates["interrupt-spurious"]["survived"] == 0  # no wake follows it
    assert fates["stop-dropped"]["survived"] == fates["stop-dropped"]["injected"] > 0
    late = [m for m in found["mutants"] if m["operator"] == "wake-late"]
    assert {m["for_rule"] for m in late} == {"expect-1"}
    assert all(m["what"] == "wake 75.1 us after irq.begin, 50us allowed" for m in late)
    survivor = next(m for m in found["mutants"] if m["operator"] == "stop-dropped")
    assert (
        survivor["fate"] == "survived"
        and survivor["shape"].startswith(("write", "read"))
        and survivor["caught_by"] == []
    )


def test_without_markers_only_the_wire_is_tested() -> None:
    capture = tracecheck.open(CAPTURES / "sigrok-dumps" / "i2c-sht21-100khz-read-serial-hold.sr")
    found = mutate(capture, load_many(["i2c"]))
    assert set(found.schemes.values()) == {"bus-only"}
    assert {m.operator for m in found.mutants} <= {
        name for name in BY_NAME if not name.startswith(("interrupt", "wake"))
    }


def test_fail_on_error_does_not_count_warnings() -> None:
    capture, rules = tracecheck.open(GOOD), load_many(["two-pin", "embassy-rp", "i2c"])
    strict = mutate(capture, rules, fail_on="error")
    glitches = [m for m in strict.mutants if m.operator == "scl-glitch"]
    assert glitches and all(m.fate == "survived" for m in glitches)  # i2c-glitch is a warning


INPUT = "this is an input; give -o another name, or the recording is lost"
TRY = "Try: tracecheck mutate --help"
WRONG = [
    (["good.sr"], "there are no rules to test; give a rule file or a preset with --rules"),
    (
        ["bad.sr", "--rules", "rules.toml"],
        (
            "bad.sr: does not pass to begin with: wake-after-interrupt, ready-after-interrupt fail; take a capture "
            "that passes, or mend the rules (tracecheck analyze shows what is wrong)"
        ),
    ),
    (["good.sr", "--rules", "rules.toml", "-o", "good.sr"], f"good.sr: {INPUT}"),
    (
        ["good.sr", "--rules", "rules.toml", "--sites", "0"],
        f"Invalid value for '--sites': Input should be greater than or equal to 1\n{TRY}",
    ),
    (
        ["good.sr", "--rules", "rules.toml", "--seed", "dice"],
        "Invalid value for '--seed': Input should be a valid integer, unable to parse string as an integer\n" + TRY,
    ),
    (["nowhere.sr", "--rules", "i2c"], "nowhere.sr: there is no such file; check the name and the folder"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_inputs(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.sr").symlink_to(GOOD)
    Path("bad.sr").symlink_to(GOOD.parent / "synthetic-lost-wake.sr")
    for part in GOOD.parent.glob("*.toml"):
        Path(part.name).symlink_to(part)
    Path("rules.toml").symlink_to(GOOD.parent / "three-pin.rules.toml" if arguments[0] == "bad.sr" else RULES)
    assert main(["mutate", *arguments]) == 2
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", f"tracecheck: {message}\n")


def test_rules_that_judge_nothing() -> None:
    nothing = RuleSet(rules=(expect("never pending", 1),))
    with pytest.raises(tracecheck.errors.UsageError, match="none of these rules judges anything in it"):
        mutate(tracecheck.open(GOOD), nothing)
