"""captures/synthetic: made again they are the same, a slow decoder finds the truth, the verdicts follow from it."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "captures" / "synthetic"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
CASES = [(name, bus) for name, case in EXPECTED.items() for bus in case["truth"]]
RATE = 24_000_000
US = RATE // 1_000_000
SETTLE = 5_000 * US


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_synthetic", FOLDER / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_making_them_again_gives_the_same(make: ModuleType, tmp_path: Path) -> None:
    make.make(tmp_path)
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in (".sr", ".json")}
    assert {path.name for path in tmp_path.iterdir()} == kept
    for path in tmp_path.glob("*.sr"):  # inflated: another zlib may deflate them otherwise
        assert contents(path) == contents(FOLDER / path.name)
    assert (tmp_path / "expected.json").read_bytes() == (FOLDER / "expected.json").read_bytes()


def test_they_are_small_and_say_that_they_are_synthetic() -> None:
    assert set(EXPECTED) == {path.name for path in FOLDER.glob("*.sr")}
    for name, case in EXPECTED.items():
        assert name.startswith("synthetic-") and case["origin"] == "synthetic"
        assert (FOLDER / name).stat().st_size < 30_000
        assert b"origin=synthetic\n" in contents(FOLDER / name)["metadata"]
        assert all((FOLDER / verdict["rules"]).is_file() for verdict in case["verdicts"])


def changes(name: str, *lines: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The levels of `lines` wherever they change, sample 0 first."""
    members = contents(FOLDER / name)
    probes = dict(line.split("=") for line in members["metadata"].decode().split("\n") if line.startswith("probe"))
    bits = [int(next(key for key, value in probes.items() if value == line)[5:]) - 1 for line in lines]
    table = [tuple(word >> bit & 1 for bit in bits) for word in range(256)]
    state = None
    for sample, word in enumerate(members["logic-1-1"]):
        if table[word] != state:
            state = table[word]
            yield sample, state


def pins(name: str, bus: str, *lines: str) -> list[tuple[int, tuple[int, ...]]]:
    several = len(EXPECTED[name]["truth"]) > 1
    return list(changes(name, *(line + (bus[-1] if several else "") for line in lines)))


def despiked(name: str, bus: str) -> tuple[list[tuple[int, tuple[int, ...]]], list[int]]:
    """SCL and SDA without their one-sample pulses, and where those were."""
    wire = pins(name, bus, "SCL", "SDA")
    spikes = [at for (at, _), (after, _) in pairwise(wire) if after == at + 1]
    spikes = [at for at in spikes if dict(wire)[at + 1] == [state for where, state in wire if where < at][-1]]
    return [change for change in wire if change[0] not in spikes and change[0] - 1 not in spikes], spikes


def decode(name: str, bus: str) -> list[dict[str, Any]]:
    """Transfers the slow way: START and STOP by SDA while SCL is high, nine bits a byte, 1 ms of silence ends one."""
    wire, _ = despiked(name, bus)
    transfers: list[dict[str, Any]] = []
    bits: list[tuple[int, int]] = []
    current: dict[str, Any] | None = None
    for (before, (was_scl, was_sda)), (at, (scl, sda)) in pairwise(wire):
        if was_scl and was_sda and at - before > 1_000 * US:
            current = None
        if was_scl and scl and was_sda and not sda:
            if current is None:
                current = {"start": at, "stop": None, "octets": [], "restarts": []}
                transfers.append(current)
            else:
                current["restarts"].append(len(current["octets"]))
            bits = []
        elif was_scl and scl and sda and not was_sda:
            if current is not None:
                current["stop"] = at
            current = None
        elif scl and not was_scl and current is not None:
            bits.append((at, sda))
            if len(bits) == 9:
                value = sum(bit << (7 - place) for place, (_, bit) in enumerate(bits[:8]))
                current["octets"].append((value, not bits[8][1]))
                bits = []
    return transfers


def as_sent(transfer: dict[str, Any]) -> tuple[list[int], list[int]]:
    """The bytes of a transfer of the truth, and where repeated STARTs lie among them."""
    octets: list[int] = []
    restarts = []
    for number, message in enumerate(transfer["messages"]):
        if number:
            restarts.append(len(octets))
        reading = message["direction"] == "read"
        if message["ten_bit"]:
            octets.append(0xF0 | message["address"] >> 8 << 1 | reading)
            octets += [] if reading else [message["address"] & 0xFF]
        else:
            octets.append(message["address"] << 1 | reading)
        octets += bytes.fromhex(message["data"])
    return octets, restarts


@pytest.mark.parametrize(("name", "bus"), CASES)
def test_the_wire_holds_the_truth(name: str, bus: str) -> None:
    truth = EXPECTED[name]["truth"][bus]["transfers"]
    found = decode(name, bus)
    assert [(t["start"], t["stop"]) for t in found] == [(t["start"], t["stop"]) for t in truth]
    for seen, true in zip(found, truth, strict=True):
        octets, restarts = as_sent(true)
        assert ([value for value, _ in seen["octets"]], seen["restarts"]) == (octets, restarts)
        refused = [place for place, (_, acked) in enumerate(seen["octets"]) if not acked]
        if true["outcome"] == "acked":
            assert refused == ([len(octets) - 1] if true["messages"][-1]["direction"] == "read" else [])
        elif true["outcome"].endswith("-nack"):
            assert refused == [len(octets) - 1]
            assert (true["outcome"] == "data-nack") == bool(true["messages"][-1]["data"])


@pytest.mark.parametrize(("name", "bus"), CASES)
def test_the_markers_hold_the_truth(name: str, bus: str) -> None:
    truth = EXPECTED[name]["truth"][bus]
    told = truth["interrupts"]
    wakes = sorted(truth["timer_polls"] + [i["wake"] for i in told if i["wake"] is not None])
    if truth["markers"] == "one-pin":
        rises = [at for at, (level,) in pins(name, bus, "MARK") if level]
        codes = [at for before, at in pairwise([-99, *rises]) if at - before > 16]
        pulses = [sum(code <= at < code + 16 for at in rises) for code in codes]
        assert [at for at, n in zip(codes, pulses, strict=True) if n == 1] == [i["begin"] for i in told]
        assert [at for at, n in zip(codes, pulses, strict=True) if n == 2] == wakes
        return
    irq = pins(name, bus, "IRQ")[1:]
    assert [at for at, (level,) in irq if level] == [i["begin"] for i in told]
    assert [at for at, (level,) in irq if not level] == [i["end"] for i in told if i["end"] is not None]
    if truth["markers"] != "irq-only":
        assert [at for at, (level,) in pins(name, bus, "RUN")[1:] if level] == wakes
    if truth["markers"] == "three-pin":
        rises = [at for at, (level,) in pins(name, bus, "PENDING")[1:] if level]
        assert {i["ready"] for i in told if i["ready"] is not None} <= set(rises)


Failed = dict[str, list[int | None]]


def judge(name: str, bus: str) -> Failed:
    """The rules of the three-pin file, or of the presets, from the truth and the wire in the plainest way."""
    failed: Failed = {}
    driver = EXPECTED[name]["verdicts"][0]["rules"] == "driver.rules.toml"
    usual: tuple[Judge, ...] = (judge_outcomes, judge_short_writes, judge_wire, judge_interrupts)
    for part in (judge_driver,) if driver else usual:
        for rule, transfer in part(name, EXPECTED[name]["truth"][bus], *despiked(name, bus)):
            failed.setdefault(rule, []).append(transfer)
    return failed


Wire = list[tuple[int, tuple[int, ...]]]
Failures = Iterator[tuple[str, int | None]]
Judge = Callable[[str, dict[str, Any], Wire, list[int]], Failures]


def shape(transfer: dict[str, Any]) -> tuple[list[str], int]:
    """The directions of a transfer's messages, and how many data bytes it has."""
    messages = transfer["messages"]
    return [m["direction"] for m in messages], sum(len(m["data"]) // 2 for m in messages)


def run_begins(truth: dict[str, Any]) -> list[int]:
    return sorted(truth["timer_polls"] + [i["wake"] for i in truth["interrupts"] if i["wake"] is not None])


def judge_outcomes(name: str, truth: dict[str, Any], wire: Wire, spikes: list[int]) -> Failures:
    fault = EXPECTED[name]["fault"]
    for number, transfer in enumerate(truth["transfers"]):
        directions, length = shape(transfer)
        interrupts = sum(i["transfer"] == number for i in truth["interrupts"])
        cut = fault is not None and fault["name"] == "cut-off" and fault["transfer"] == number
        if transfer["outcome"] == "unfinished" and not cut:
            yield "bus-integrity", number
        if directions == ["write"] and transfer["outcome"].endswith("-nack"):
            yield "ack-expected", number
        if directions == ["read"] and length <= 16 and transfer["outcome"] == "acked" and not 1 <= interrupts <= 2:
            yield "read-interrupts", number


def judge_short_writes(name: str, truth: dict[str, Any], wire: Wire, spikes: list[int]) -> Failures:
    transfers, told = truth["transfers"], truth["interrupts"]
    for number, transfer in enumerate(transfers):
        directions, length = shape(transfer)
        if directions != ["write"] or transfer["outcome"] != "acked" or not 1 <= length <= 15:
            continue
        stop = transfer["stop"]
        closes = min([stop + SETTLE, *(t["start"] for t in transfers[number + 1 :])])
        after = [i["begin"] for i in told if stop <= i["begin"] < closes]
        polled = [run for run in run_begins(truth) if stop <= run < closes]
        if not after or after[0] - stop > 20 * US:
            yield "interrupt-after-stop", number
        if sum(i["transfer"] == number for i in told) != 1:
            yield "one-interrupt", number
        if polled and (not after or polled[0] < after[0]):
            yield "task-not-before-interrupt", number


def judge_wire(name: str, truth: dict[str, Any], wire: Wire, spikes: list[int]) -> Failures:
    for spike in spikes:
        yield "bus-integrity", holder(truth, spike)
    for (at, (scl, _)), (after, _) in pairwise(scl_only(wire)):
        if not scl and after - at > 1_000 * US:
            yield "stretch-bound", holder(truth, at)


def judge_interrupts(name: str, truth: dict[str, Any], wire: Wire, spikes: list[int]) -> Failures:
    for interrupt in truth["interrupts"]:
        begin, transfer = interrupt["begin"], interrupt["transfer"]
        cause = max((t["start"] for t in truth["transfers"] if t["start"] <= begin), default=None)
        if begin >= SETTLE and (cause is None or begin - cause > SETTLE):
            yield "interrupt-has-cause", transfer
        if interrupt["end"] is None or interrupt["end"] - begin > 20 * US:
            yield "handler-short", transfer
        wake = next((run for run in run_begins(truth) if run >= begin), None)
        if wake is None or wake - begin > 50 * US:
            yield "wake-after-interrupt", transfer
        if interrupt["ready"] is None or not 0 <= interrupt["ready"] - begin <= 5 * US:
            yield "ready-after-interrupt", transfer


def judge_driver(name: str, truth: dict[str, Any], wire: Wire, spikes: list[int]) -> Failures:
    """What the presets say of these captures, all of whose interrupts are prompt."""
    told = sorted(truth["interrupts"], key=lambda i: i["begin"])
    late = set()
    for interrupt, following in pairwise([*told, {"begin": sys.maxsize}]):
        wake = next((run for run in run_begins(truth) if run >= interrupt["begin"]), None)
        for rule, bound in (("embassy-wake", 100), ("embassy-wake-prompt", 20)):
            if wake is None or wake >= following["begin"] or wake - interrupt["begin"] > bound * US:
                late.add((rule, interrupt["transfer"]))
    yield from late
    for number, transfer in enumerate(truth["transfers"]):
        directions, length = shape(transfer)
        if directions != ["write"] or length < 16:
            continue
        mine = [i for i in told if i["transfer"] == number]
        if len(mine) > (length - 1) // 15 + 2:
            yield "embassy-long-write-no-storm", number
        octet = (transfer["stop"] - transfer["start"]) / (length + 1)
        early = any(i["begin"] < transfer["start"] + 15 * octet - octet / 2 for i in mine)
        if early or any(i["wake"] is None for i in mine):
            yield "embassy-long-write-order", number


def judge_steady(name: str, truth: dict[str, Any]) -> Failed:
    """The loop's rounds and its wakes, by sorting them."""
    starts = [transfer["start"] for transfer in truth["transfers"]]
    rounds = [after - at for at, after in pairwise(starts)]
    failed: Failed = {}
    gaps = [*rounds, EXPECTED[name]["samples"] - starts[-1]]
    if late := [number for number, gap in enumerate(gaps) if gap > 6_200 * US]:
        failed["loop-comes-round"] = [*late]
    assert all(gap >= 300 * US for gap in rounds)
    if max(rounds) - min(rounds) > 2_000 * US:
        failed["loop-is-steady"] = [None]
    runs = run_begins(truth)
    begins = [interrupt["begin"] for interrupt in truth["interrupts"]]
    waits = sorted(next(run for run in runs if run >= at) - at for at in begins)
    assert len(waits) >= 10  # as the ninetieth percentile needs
    half, nine = waits[-(-len(waits) // 2) - 1], waits[-(-9 * len(waits) // 10) - 1]
    assert half < 5 * US and nine < 10 * US
    if waits[-1] > 1_000 * US:
        failed["wakes-are-quick"] = [None]
    return failed


def holder(truth: dict[str, Any], at: int) -> int | None:
    """The transfer whose START is the last one before `at`."""
    begun = [t["transfer"] for t in truth["transfers"] if t["start"] <= at]
    return begun[-1] if begun else None


def scl_only(wire: list[tuple[int, tuple[int, ...]]]) -> list[tuple[int, tuple[int, ...]]]:
    kept = wire[:1]
    for change in wire[1:]:
        if change[1][0] != kept[-1][1][0]:
            kept.append(change)
    return kept


@pytest.mark.parametrize(("name", "bus"), CASES)
def test_the_expected_verdicts_follow_from_the_truth(name: str, bus: str) -> None:
    case = EXPECTED[name]
    found = judge(name, bus)
    if case["verdicts"][0]["rules"] == "outcomes.rules.toml":
        assert found.pop("ack-expected") == [0, 2, 3]  # the NACKs are there, and this file does not mind them
    for verdict in case["verdicts"]:
        if verdict["rules"] == "steady.rules.toml":
            found = judge_steady(name, case["truth"][bus])
        assert verdict["failed"] == found
        assert verdict["exit"] == (1 if found else 2 if verdict["inconclusive"] else 0)


@pytest.mark.parametrize("name", [name for name, case in EXPECTED.items() if case["fault"]])
def test_a_fault_strikes_one_transfer_only(name: str) -> None:
    case = EXPECTED[name]
    struck = case["fault"]["transfer"]
    for transfer in case["truth"]["i2c0"]["transfers"]:
        if transfer["transfer"] != struck:
            assert transfer["outcome"] == "acked"
    for transfers in case["verdicts"][0]["failed"].values():
        assert transfers == [None if case["fault"]["name"] == "spurious-interrupt" else struck]
