"""`decode --stack`: what sigrok's decoders said, under the transfers, as a table, or as sigrok-cli prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from tracecheck.capture.model import Capture
from tracecheck.cli.console import Output, say
from tracecheck.decoding.wiring import Wiring
from tracecheck.export.tables import WRITERS
from tracecheck.report.visible import visible
from tracecheck.stack import Annotation, annotate, outermost, parse_stack
from tracecheck.stack.table import annotations_table
from tracecheck.timebase import instant_text, to_ns
from tracecheck.trace import Trace

COULD_NOT_CHECK = 2


class Stacked:
    """The stacks asked for, at least one, and after `run` what they said. Raises what is wrong with them at once."""

    def __init__(self, asked: Sequence[str]) -> None:
        self.asked = [parse_stack(text) for text in asked]
        self.exit_code = 0
        self._each: list[list[Annotation]] = []

    def run(self, capture: Capture, wiring: Wiring) -> None:
        """Run all stacks on all buses. What goes wrong in a decoder is said; the others go on."""
        for bus in wiring.buses:
            found, troubles = annotate(capture, bus, self.asked)
            self._each += found
            for trouble in troubles:
                say(visible(f"{trouble.bus}: {trouble.text}", line=True))
                self.exit_code = COULD_NOT_CHECK

    def write(self, trace: Trace, kind: str, out: Output) -> None:
        """All that they said as a table, in one of its formats."""
        WRITERS[kind](annotations_table(trace, [one for found in self._each for one in found]), out)

    def sigrok_lines(self) -> Iterator[str]:
        """`START-END DECODER-N: TEXT`, as sigrok-cli prints them for each decoder of each stack."""
        used: Counter[str] = Counter()
        for stack, found in zip(cycle(self.asked), self._each, strict=False):
            used.update({layer.name for layer in stack.layers})
            for one in found:
                yield f"{one.start}-{one.end} {one.decoder}-{used[one.decoder]}: {one.text}"

    def shown(self, trace: Trace, *, width: int | None) -> Shown:
        """What is worth a line under a transfer; lines no longer than `width`."""
        outer = [one for found in self._each for one in outermost(found)]
        total = sum(len(found) for found in self._each)
        lines: dict[tuple[str, int | None], list[str]] = {}
        owners = annotations_table(trace, outer)["transfer"].to_pylist()
        for one, owner in sorted(zip(outer, owners, strict=True), key=lambda pair: pair[0].start):
            lines.setdefault((one.bus, owner), []).append(_line(one, trace, width))
        return Shown(lines, total - len(outer))


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines by bus and transfer, and how many annotations have none."""

    lines: dict[tuple[str, int | None], list[str]]
    left_out: int

    def below(self, bus: str, transfer: int) -> list[str]:
        return self.lines.get((bus, transfer), [])

    def elsewhere(self) -> Iterator[str]:
        """Lines of what began in no transfer."""
        for (_, transfer), lines in self.lines.items():
            if transfer is None:
                yield from lines


def _line(one: Annotation, trace: Trace, width: int | None) -> str:
    when = str(one.start) if not trace.rate_hz else instant_text(to_ns(one.start, trace.rate_hz))
    several = len(trace.wiring.buses) > 1
    text = visible(f"{one.decoder} {one.kind}: {one.text.strip()}", line=True)
    line = f"{when:>14}  {f'{one.bus:<5}' if several else ''}{'':>5}  {text}"
    return line if width is None or len(line) <= width else f"{line[: width - 3]}..."
