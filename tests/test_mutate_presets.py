"""The presets, tested by injected faults: on clean captures of each marker scheme no visible fault survives."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracecheck
from tracecheck.mutate.operators import BY_NAME, CUTS, OPERATORS, SCHEMES
from tracecheck.mutate.run import Mutation, mutate
from tracecheck.rules.file import load_many

PICO = Path(__file__).parent.parent / "captures" / "pico"
CLEAN = {
    "three-pin": "pico-clean-unseen-mixed-400k.sr",
    "two-pin": "pico-clean-mixed-two-pin.sr",
    "one-pin": "pico-clean-mixed-one-pin.sr",
    "irq-only": "pico-clean-mixed-irq-only.sr",
}


@pytest.mark.parametrize("scheme", CLEAN)
def test_every_visible_operator_is_killed_everywhere(scheme: str) -> None:
    found = mutate(tracecheck.open(PICO / CLEAN[scheme]), load_many([str(PICO / f"{scheme}.rules.toml")]))
    assert found.schemes == {"i2c0": scheme}
    survivors = [(m.operator, m.transfer, m.shape, m.what) for m in found.of("survived")]
    assert survivors == []
    assert found.exit_code == 0
    visible = {o.name for o in OPERATORS if scheme in o.visible and not o.asked}
    assert visible <= {m.operator for m in found.of("caught")}, "an operator that was never tried proves nothing"
    assert found.idle == ()
    assert "interrupt-dropped-of-fewest" in {m.operator for m in found.of("caught")}
    each_delay_is_caught_by_the_very_rule_whose_bound_it_breaks(found)
    what_cannot_be_seen_is_never_called_caught_unless_a_rule_failed(found, scheme)


def each_delay_is_caught_by_the_very_rule_whose_bound_it_breaks(found: Mutation) -> None:
    aimed = [m for m in found.mutants if m.target is not None]
    assert {m.target for m in aimed} >= {"embassy-interrupt-late", "embassy-bus-held", "embassy-write-stop-late"}
    assert [(m.operator, m.target, m.what) for m in aimed if m.target not in m.caught_by] == []


def what_cannot_be_seen_is_never_called_caught_unless_a_rule_failed(found: Mutation, scheme: str) -> None:
    for mutant in found.mutants:
        assert bool(mutant.caught_by) == (mutant.fate in ("caught", "alarm"))
        if mutant.operator in CUTS:
            assert mutant.fate in ("invisible", "alarm")
        elif not mutant.caught_by:
            assert (mutant.fate == "survived") == (scheme in BY_NAME[mutant.operator].visible)
    assert found.of("alarm") == (), "a shorter recording is no fault"


def test_at_another_speed_and_other_places_too() -> None:
    capture = tracecheck.open(PICO / "pico-clean-unseen-mixed-100k.sr")
    found = mutate(capture, load_many([str(PICO / "three-pin.rules.toml")]), seed=1)
    assert [(m.operator, m.transfer, m.shape, m.what) for m in found.of("survived")] == []
    assert found.of("alarm") == ()


def test_the_table_of_the_page_is_the_table_of_the_code() -> None:
    page = (PICO.parent.parent / "docs" / "mutate.md").read_text(encoding="utf-8")
    table = page.split("<!-- operators -->\n")[1].split("<!-- end of operators -->")[0]
    assert table == table_of_operators(), f"the page should have:\n{table_of_operators()}"


def table_of_operators() -> str:
    rows = [["fault", "what is done", *SCHEMES, "what shows it, or why nothing can"]]
    rows += [
        [f"`{o.name}`" + " *" * o.asked, o.does, *("yes" if scheme in o.visible else "-" for scheme in SCHEMES), o.why]
        for o in OPERATORS
    ]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"
