"""Whole runs of the command line, compared exactly: standard output, standard error, exit code.

A golden is `goldens/NAME.txt`. After a change that is meant to change them, write them again and read the difference:

    TRACECHECK_REGOLD=1 python -m pytest tests/test_cli_goldens.py
    git diff tests/goldens
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tracecheck.cli import main

HERE = Path(__file__).parent
CAPTURES = HERE.parent / "captures"
GOLDENS = HERE / "goldens"
THREE = "--rules synthetic/three-pin.rules.toml"

CASES: dict[str, str] = {
    "analyze-pass": f"analyze synthetic/synthetic-clean-three-pin-400k.sr {THREE}",
    "analyze-late-wake": f"analyze synthetic/synthetic-late-wake.sr {THREE}",
    "analyze-late-wake-json": f"analyze synthetic/synthetic-late-wake.sr {THREE} --format json",
    "analyze-nacks": f"analyze synthetic/synthetic-clean-nacks.sr {THREE}",
    "analyze-two-buses": "analyze synthetic/synthetic-clean-two-buses.sr --rules synthetic/two-buses.rules.toml",
    "analyze-marker-missing": "analyze synthetic/synthetic-clean-irq-only.sr "
    "--rules synthetic/irq-only-asks-for-wakes.rules.toml",
    "analyze-expect": "analyze synthetic/synthetic-late-wake.sr --expect 'irq -> wake < 100us' "
    "--expect 'never missing-stop'",
    "analyze-expect-inconclusive": "analyze synthetic/synthetic-clean-two-pin.sr --expect 'pending -> wake'",
    "analyze-real-presets": "analyze sigrok-dumps/pca9571_simple.sr",
    "analyze-several-quiet": "analyze synthetic/synthetic-clean-two-pin.sr nowhere.sr synthetic/synthetic-lost-wake.sr "
    "--rules synthetic/two-pin.rules.toml --quiet",
    "info-real": "info sigrok-dumps/gigabyte_6vle_vxl_i2c.sr",
    "info-real-json": "info sigrok-dumps/gigabyte_6vle_vxl_i2c.sr --format json",
    "info-markers": "info synthetic/synthetic-clean-one-pin.sr",
    "info-no-rate": "info sigrok-dumps/rtc_ds1307_200khz_no_samplerate.sr",
    "decode-real": "decode sigrok-dumps/ds3231_ex1.sr",
    "decode-markers": "decode synthetic/synthetic-clean-three-pin-400k.sr",
    "decode-two-buses": "decode synthetic/synthetic-clean-two-buses.sr",
    "decode-missing-stop": "decode synthetic/synthetic-missing-stop.sr",
    "decode-ten-bit": "decode synthetic/synthetic-clean-ten-bit.sr",
    "decode-no-rate": "decode sigrok-dumps/rtc_ds1307_200khz_no_samplerate.sr",
    "decode-messages-csv": "decode sigrok-dumps/ds3231_ex1.sr --table messages",
    "decode-anomalies-jsonl": "decode synthetic/synthetic-partial-byte.sr --table anomalies --format jsonl",
    "decode-sigrok": "decode sigrok-dumps/pca9571_simple.sr --format sigrok",
    "show-write": "show synthetic/synthetic-late-wake.sr 3",
    "show-write-wide": "show synthetic/synthetic-late-wake.sr 3 --width 160",
    "show-long": "show synthetic/synthetic-clean-three-pin-400k.sr 6",
    "show-stretch": "show synthetic/synthetic-stretch.sr 3",
    "show-pulse-counts": "show synthetic/synthetic-clean-one-pin.sr 0 --rules synthetic/one-pin.rules.toml",
    "show-second-bus": "show synthetic/synthetic-clean-two-buses.sr 2 --bus i2c1",
    "show-no-rate": "show sigrok-dumps/rtc_ds1307_200khz_no_samplerate.sr 1",
    "rules-list": "rules list",
    "rules-show": "rules show synthetic/three-pin.rules.toml",
    "rules-explain": "rules explain embassy-long-write-order",
    "rules-explain-counts": "rules explain embassy-read-no-storm",
    "rules-explain-kind": "rules explain response",
    "rules-explain-json": "rules explain one-interrupt --rules synthetic/three-pin.rules.toml --format json",
    "rules-lint": "rules lint synthetic/wake.rules.toml ../tests/goldens/ten-mistakes.toml",
}


@pytest.mark.parametrize("name", CASES)
def test_run_is_as_recorded(
    name: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CAPTURES)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    code = main(shlex.split(CASES[name]))
    out, err = (text.decode() for text in capfdbinary.readouterr())
    found = f"$ tracecheck {CASES[name]}\n{out}" + (f"--- standard error\n{err}" if err else "") + f"--- exit {code}\n"
    place = GOLDENS / f"{name}.txt"
    if os.environ.get("TRACECHECK_REGOLD"):
        place.write_text(found, encoding="utf-8")
    assert found == place.read_text(encoding="utf-8")


def test_every_golden_has_its_case() -> None:
    assert {place.stem for place in GOLDENS.glob("*.txt")} == set(CASES)
