"""The model of embassy-rp: what its formulas and patterns say is what a FIFO played step by step does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from fifo_twin import every_way, played
from hypothesis import given, settings
from hypothesis import strategies as st

import tracecheck
from tracecheck import words
from tracecheck.rules.drivers.embassy_rp import MODEL, ORDERS, interrupts, order_of
from tracecheck.rules.drivers.library import MODELS
from tracecheck.rules.drivers.model import Order
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.vocabulary import canonical

PICO = Path(__file__).parent.parent / "captures" / "pico"
thorough = settings(max_examples=int(os.environ.get("TRACECHECK_EXAMPLES", "400")), deadline=None)


def shapes(direction: str, n: int, m: int = 0, outcome: str = "acked", **more: object) -> Shapes:
    """One transfer: `n` data bytes in its first message, `m` in a second."""
    two = direction == "write-read"
    values = {
        "direction": words.TRANSFER_DIRECTIONS.index(direction),
        "outcome": words.OUTCOMES.index(outcome),
        "messages": 2 if two else 1,
        "first": n,
        "rest": m,
        "ten_bit": False,
        "whole": True,
    } | more
    kinds = {"direction": np.uint8, "outcome": np.uint8, "messages": np.int32, "ten_bit": np.bool_, "whole": np.bool_}
    return Shapes(**{name: np.array([value], kinds.get(name, np.int64)) for name, value in values.items()})


def bounds(given: Shapes) -> tuple[int, int]:
    counts = interrupts(given)
    assert counts.known.tolist() == [True]
    return int(counts.least[0]), int(counts.most[0])


def seen(n: int | None, m: int | None, nack: int | None = None) -> tuple[int, int]:
    found = [call.interrupts for call in every_way(n, m, nack)]
    return min(found), max(found)


@pytest.mark.parametrize("n", range(1, 51))
def test_a_write_takes_what_the_fifo_makes_it_take(n: int) -> None:
    assert bounds(shapes("write", n)) == seen(n, None)


@pytest.mark.parametrize("m", range(1, 51))
def test_a_read_takes_what_the_fifo_makes_it_take(m: int) -> None:
    assert bounds(shapes("read", m)) == seen(None, m)


@pytest.mark.parametrize("n", [1, 2, 8, 14, 15, 16, 17, 18, 31, 32, 34, 35])
def test_a_write_read_takes_no_more_and_no_less(n: int) -> None:
    """What is left in the FIFO between the halves is not followed, so the bounds may be wider, never narrower."""
    exact = 0
    for m in (1, 2, 15, 16, 17, 31, 32, 33):
        low, high = bounds(shapes("write-read", n, m))
        least, most = seen(n, m)
        assert low <= least and most <= high <= most + 1, (m, (low, high), (least, most))
        exact += (low, high) == (least, most)
    assert exact


@pytest.mark.parametrize("k", range(1, 36))
def test_a_refused_byte_ends_a_write_of_whatever_length(k: int) -> None:
    every = [seen(n, None, k) for n in range(k, k + 20)]
    assert bounds(shapes("write", k, outcome="data-nack")) == (min(a for a, _ in every), max(b for _, b in every))


def test_a_refused_address() -> None:
    writes = [seen(n, None, 0) for n in range(1, 40)]
    assert bounds(shapes("write", 0, outcome="address-nack")) == (1, 2)
    assert (min(a for a, _ in writes), max(b for _, b in writes)) == (1, 2)
    assert bounds(shapes("read", 0, outcome="address-nack")) == seen(None, 8, 0) == (1, 2)


@pytest.mark.parametrize("n", [1, 15, 16, 17, 31, 34])
def test_a_refused_address_of_the_read(n: int) -> None:
    low, high = bounds(shapes("write-read", n, 0, "address-nack"))
    least, most = seen(n, 8, -1)
    assert low <= least and most <= high


def test_what_the_driver_does_not_make_is_not_known() -> None:
    for shape in (
        shapes("mixed", 4, 4, messages=3),
        shapes("write", 4, 3, messages=2),
        shapes("write-read", 4, 4, messages=3),
        shapes("write", 0),
        shapes("write", 4, outcome="unfinished"),
        shapes("write", 0, outcome="void"),
        shapes("write", 4, ten_bit=True),
        shapes("write", 4, whole=False),
        shapes("none", 0),
    ):
        assert interrupts(shape).known.tolist() == [False]
        assert order_of(shape).tolist() == [-1]


calls = st.one_of(
    st.tuples(st.integers(1, 70), st.none()),
    st.tuples(st.none(), st.integers(1, 70)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)


@thorough
@given(calls, st.data())
def test_whatever_way_a_call_goes_its_events_match_its_pattern(
    call: tuple[int | None, int | None], data: st.DataObject
) -> None:
    n, m = call
    refused = st.one_of(st.none(), st.integers(0, n) if n else st.just(0), *([st.just(-1)] if n and m else []))
    nack = data.draw(refused)
    made = played(n, m, lambda ways: data.draw(st.integers(0, ways - 1)), nack, late_handler=True)
    again = "restart" in made.events
    direction = "write-read" if again else "write" if n else "read"
    outcome = "acked" if nack is None else "address-nack" if nack <= 0 else "data-nack"
    cut = made.events.index("restart") if again else len(made.events)
    shape = shapes(direction, made.events[:cut].count("data"), made.events[cut:].count("data"), outcome)
    (index,) = order_of(shape).tolist()
    assert index >= 0
    seen_by_it = [event for event in made.events if nack is not None or event != "nack"]
    assert compile_pattern(ORDERS[index].pattern).matches(seen_by_it), (ORDERS[index].what, made.events)
    low, high = bounds(shape)
    assert low <= made.interrupts <= high


@pytest.mark.parametrize(
    ("shape", "events"),
    [
        (shapes("write", 3), "start address data irq.begin wake data data stop"),
        (shapes("write", 3), "start address data data data stop irq.begin irq.begin wake"),
        (
            shapes("write", 20),
            f"start address {'data ' * 13}irq.begin wake {'data ' * 7}stop irq.begin wake",
        ),
        (shapes("read", 3), "start address data irq.begin wake data data stop irq.begin wake"),
        (shapes("read", 20), f"start address {'data ' * 17}irq.begin wake {'data ' * 3}irq.begin wake stop"),
        (shapes("read", 20), f"start address {'data ' * 16}irq.begin {'data ' * 4}wake stop irq.begin wake"),
        (shapes("write-read", 2, 3), "start address data irq.begin wake data restart address data data data stop"),
        (shapes("write", 2, outcome="data-nack"), "start address data irq.begin wake data nack stop irq.begin wake"),
        (shapes("read", 0, outcome="address-nack"), "start address irq.begin nack wake stop"),
        (
            shapes("write-read", 2, 0, "address-nack"),
            "start address data data restart address irq nack stop wake",
        ),
    ],
)
def test_what_no_call_does_does_not_match(shape: Shapes, events: str) -> None:
    (index,) = order_of(shape).tolist()
    assert not compile_pattern(ORDERS[index].pattern).matches([canonical(event) for event in events.split()])


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.what)
def test_the_usual_one_of_each_matches_its_own_pattern(order: Order) -> None:
    assert compile_pattern(order.pattern).matches(order.example)
    assert {"irq.begin", "wake", "stop"} <= set(order.example)


def test_arrays_are_judged_as_one_by_one() -> None:
    each = [shapes("write", n) for n in range(1, 40)] + [shapes("read", n) for n in range(1, 40)]
    each += [shapes("write-read", n, m) for n in (1, 15, 16, 40) for m in (1, 17)] + [shapes("mixed", 1, 1, messages=3)]
    names = Shapes.__slots__
    together = Shapes(**{name: np.concatenate([getattr(one, name) for one in each]) for name in names})
    counts, orders = interrupts(together), order_of(together)
    assert len(together) == len(each)
    for i, one in enumerate(each):
        alone = interrupts(one)
        assert (counts.least[i], counts.most[i]) == (alone.least[0], alone.most[0])
        assert (counts.known[i], orders[i]) == (alone.known[0], order_of(one)[0])


def test_the_library_calls_each_by_its_name() -> None:
    assert list(MODELS) == ["embassy-rp"] == [MODEL.name]


EXPECTED = json.loads((PICO / "expected.json").read_text(encoding="utf-8"))
ASYNC = [name for name, facts in EXPECTED.items() if facts["rules"] != "blocking.rules.toml"]


@pytest.mark.parametrize("name", ASYNC)
def test_the_emulated_driver_takes_as_many_as_the_model_says(name: str) -> None:
    """Counted from the tables, transfer by transfer; those on which a fault struck are left out."""
    facts = EXPECTED[name]
    trace = tracecheck.decode(PICO / name, rules=PICO / facts["rules"])
    markers = [m for m in trace.markers.to_pylist() if m["marker"] == "irq"]
    told = {t for rule in facts["failed"].values() for t in rule}
    messages: dict[int, list[dict[str, object]]] = {}
    for message in trace.messages.to_pylist():
        messages.setdefault(message["transfer"], []).append(message)
    counted = 0
    for transfer in trace.transfers.to_pylist():
        number = transfer["transfer"]
        sizes = [len(bytes(m["data"])) for m in messages.get(number, [])]  # type: ignore[call-overload]
        if number in told or not sizes or transfer["stop"] is None:
            continue
        shape = shapes(
            transfer["directions"],
            sizes[0],
            sum(sizes[1:]),
            transfer["outcome"],
            messages=len(sizes),
            whole=transfer["complete"],
        )
        counts = interrupts(shape)
        if counts.known[0]:
            n = sum(m["transfer"] == number for m in markers)
            assert counts.least[0] <= n <= counts.most[0], (number, n)
            counted += 1
    assert counted >= 3
