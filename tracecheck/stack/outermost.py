"""What is worth being seen of what decoders say: an operation covers its fields and bits."""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.stack.annotations import Annotation


def outermost(found: Sequence[Annotation]) -> list[Annotation]:
    """Those that no longer one of the same decoder covers, and every warning: fields and bits are left to the table."""
    kept: list[Annotation] = []
    reach: dict[str, tuple[int, int]] = {}
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        start, end = reach.get(one.decoder, (-1, -1))
        if one.end > end:
            reach[one.decoder] = start, end = one.start, one.end
        if (one.start, one.end) == (start, end) or "warn" in one.kind:
            kept.append(one)
    return kept
