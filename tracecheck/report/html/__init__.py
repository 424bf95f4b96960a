"""A run as one HTML file that needs nothing beside it: no network, no other file.

Verdicts, margins and histograms of every rule, an overview of each capture, and for findings a drawing of the lines at
that place. `page.py` puts it together; what is drawn is in the module of its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracecheck.report.formats import Detail
    from tracecheck.report.judged import Run
    from tracecheck.report.style import Style


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """The page in pieces. A page looks the same everywhere, so `style` and `detail` change nothing."""
    from tracecheck.report.html.page import pieces  # noqa: PLC0415  (jinja2 is loaded when a page is made)

    return pieces(run)
