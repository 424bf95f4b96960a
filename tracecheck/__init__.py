"""tracecheck: did every I2C transfer's interrupts and task wakes come in order and on time?

    >>> import tracecheck
    >>> trace = tracecheck.decode("capture.sr")
    >>> trace.df("transfers")
    >>> report = tracecheck.check(trace, "embassy-rp")
    >>> report.verdict

What is heavy (pyarrow, pandas) is imported when it is used, so that `tracecheck --help` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tracecheck.api import analyze, check, decode, open  # noqa: A004
    from tracecheck.capture.model import Capture
    from tracecheck.rules.verdict import Report
    from tracecheck.trace import Trace

__all__ = ["Capture", "Report", "Trace", "__version__", "analyze", "check", "decode", "open"]

_HOMES = {
    "Capture": "tracecheck.capture.model",
    "Report": "tracecheck.rules.verdict",
    "Trace": "tracecheck.trace",
    **dict.fromkeys(("analyze", "check", "decode", "open"), "tracecheck.api"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
