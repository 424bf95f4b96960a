"""Figures against figures: what the targets are about and the page shows. None: not measured."""

from __future__ import annotations

from collections.abc import Callable

from .session import SIGROK, Figures

Ratio = Callable[[Figures], float | None]

MB = 1_000_000
FLAT = 40 * MB
"""Bytes over the imports that a capture may take however long it is."""
ROW = 64
"""Bytes more for each row that is kept."""


def times(job: str, peer: str) -> Ratio:
    """How many times as long as the peer."""

    def ratio(figures: Figures) -> float | None:
        ours, theirs = figures.cpu.get(job), figures.cpu.get(peer)
        return None if ours is None or theirs is None else ours / theirs

    return ratio


def faster(job: str) -> Ratio:
    """How many times as fast as sigrok-cli."""
    return times(SIGROK, job)


def rules_over_decode(figures: Figures) -> float | None:
    """What tables and rules add to the decode, in decodes."""
    return (figures.cpu["tables+rules"] - figures.cpu["decode"]) / figures.cpu["decode"]


def over_imports(job: str) -> Ratio:
    """Peak memory over the imports, in bytes."""

    def ratio(figures: Figures) -> float | None:
        return figures.peak[job] - figures.imports[job] if job in figures.peak else None

    return ratio


def limit(job: str, figures: Figures) -> float:
    """Bytes over the imports that the job may take; only the tables grow, with their rows."""
    return FLAT + (ROW * int(figures.facts["rows"]) if job.startswith("tables") else 0)


def of_limit(job: str) -> Ratio:
    """Peak memory over the imports, as a share of what is allowed."""

    def ratio(figures: Figures) -> float | None:
        over = over_imports(job)(figures)
        return None if over is None else over / limit(job, figures)

    return ratio


def two_cores(figures: Figures) -> float | None:
    """Wall time on two cores, in that on one."""
    return figures.cores[2] / figures.cores[1] if figures.cores else None
