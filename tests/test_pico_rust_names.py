"""Names of functions for people, from both of Rust's manglings; hostile ones end soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.pico.rust_names import demangled


@pytest.mark.parametrize(
    ("mangled", "name"),
    [
        ("main", "main"),
        ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
        (
            "_ZN63_$LT$embassy_rp..i2c..I2c$LT$T$C$embassy_rp..i2c..Async$GT$$GT$4read28_$u7b$$u7b$closure$u7d$$u7d$E",
            "<embassy_rp::i2c::I2c<T, embassy_rp::i2c::Async>>::read::{{closure}}",
        ),
        ("_RNvCsiLxPJFG9Jv1_7___rustc17rust_begin_unwind", "__rustc::rust_begin_unwind"),
        ("_RNvNtCseOLxgqbmQaJ_4core9panicking9panic_fmt", "core::panicking::panic_fmt"),
        ("_RNvMNtCs1_4core3fmtNtB2_9Formatter3pad", "core::fmt::Formatter::pad"),
        ("_RNvXCs1_4mineNtB2_4ThatNtNtCs2_4core3fmt7Display3fmt", "<mine::That as core::fmt::Display>::fmt"),
        ("_RINvNtCs1_4core3mem4swapjE", "core::mem::swap"),
        ("_RNvC1a", "_RNvC1a"),
        ("_RNvC4corexx", "_RNvC4corexx"),
        ("_RYB_B_", "_RYB_B_"),
        ("_R", "_R"),
    ],
)
def test_a_name_is_readable_or_left_as_it_is(mangled: str, name: str) -> None:
    assert demangled(mangled) == name


@given(st.text(alphabet="CNMXYIBvts_0123456789ab", max_size=60))
def test_whatever_follows_the_prefix_is_a_name(text: str) -> None:
    assert len(demangled(f"_R{text}")) < 100_000
