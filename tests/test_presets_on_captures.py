"""The presets on synthetic captures: nothing to say of a clean one, and the right rules of a faulty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracecheck.api import analyze
from tracecheck.rules.file import load, load_many

FOLDER = Path(__file__).parent.parent / "captures" / "synthetic"
SCHEMES = ("two-buses", "one-pin", "irq-only", "two-pin")


def failed(capture: str) -> dict[str, int]:
    """Failing rules of both presets and how often they failed; markers as its own rule file has them."""
    scheme = next((scheme for scheme in SCHEMES if scheme in capture), "three-pin")
    own = load(FOLDER / f"{scheme}.rules.toml")
    rules = load_many(["i2c", "embassy-rp"]).with_buses([*own.buses.values()]).with_markers([*own.markers.values()])
    report = analyze(FOLDER / f"synthetic-{capture}.sr", rules)
    return {result.rule.id: result.failed for result in report.rules if result.failed}


CLEAN = sorted(path.stem.removeprefix("synthetic-") for path in FOLDER.glob("synthetic-clean-*.sr"))


@pytest.mark.parametrize("capture", CLEAN)
def test_a_clean_capture_fails_no_rule_not_even_a_warning(capture: str) -> None:
    assert failed(capture) == {}


def test_there_are_clean_captures() -> None:
    assert len(CLEAN) >= 10


@pytest.mark.parametrize(
    ("capture", "rules"),
    [
        ("late-interrupt", ["embassy-interrupt-late", "embassy-interrupt-prompt"]),
        ("late-wake", ["embassy-wake", "embassy-wake-prompt"]),
        ("long-handler", ["embassy-wake-prompt", "embassy-handler-short"]),
        ("lost-interrupt", ["embassy-write-ends-with-interrupt"]),
        ("lost-wake", ["embassy-wake", "embassy-wake-prompt", "embassy-ready", "embassy-short-write-order"]),
        ("early-interrupt", ["embassy-long-write-order"]),
        ("spurious-interrupt", ["embassy-interrupt-late", "embassy-interrupt-prompt"]),
        ("missing-stop", ["i2c-missing-stop"]),
        ("partial-byte", ["i2c-partial-byte"]),
        ("glitch-scl", ["i2c-glitch"]),
        ("nack", []),
        ("stretch", ["embassy-bus-held"]),
        ("cut-begin", []),
        ("cut-off", []),
    ],
)
def test_a_fault_is_named_once_and_by_nothing_else(capture: str, rules: list[str]) -> None:
    assert failed(capture) == dict.fromkeys(rules, 1)
