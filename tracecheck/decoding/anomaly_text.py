"""One sentence for each anomaly, from its kind and the core's small numeric argument."""

from __future__ import annotations

_LINE = ("SCL", "SDA")
_ENDED_BY = ("STOP", "repeated START")


def describe_anomaly(kind: str, arg: int) -> str:  # noqa: PLR0911  (one sentence a kind)
    """The `detail` of an anomaly row. `arg` as the core gives it (see the core's list of kinds)."""
    match kind:
        case "glitch":
            return f"{_LINE[arg & 1]} pulse shorter than the bus's spike filter, ignored"
        case "simultaneous":
            return f"SDA changed in the sample where SCL {'fell' if arg else 'rose'}: taken as data"
        case "partial-byte":
            by = "repeated START" if arg & 16 else "STOP or the end of the transfer"
            bits = (arg & 15) - 1  # the last rise belongs to the START or STOP
            return f"{by} after {bits} bit{'s' if bits != 1 else ''} of a byte"
        case "ack-interrupted":
            return f"{_ENDED_BY[arg & 1]} while the SCL pulse of the ACK was still high"
        case "void":
            return f"START, then {_ENDED_BY[arg & 1]} with no bits between"
        case "stray-stop":
            return "STOP without a transfer"
        case "stray-clocks":
            return f"{arg} SCL pulse{'s' if arg != 1 else ''} outside a transfer"
        case "bus-recovery":
            return f"{arg} SCL pulses outside a transfer: bus recovery"
        case "missing-stop":
            return "both lines high for longer than max(50 us, 10 SCL periods) inside a transfer, and no STOP"
        case "begins-inside":
            if arg:
                return f"the capture begins inside a transfer: {arg} SCL pulses before the first START or STOP"
            return "the capture begins with SCL high and SDA low: START assumed at its first sample"
        case "ends-inside":
            return "the capture ends inside a transfer" + (f", {arg} SCL pulses into a byte" if arg else "")
        case "stuck-low":
            return f"{_LINE[arg & 1]} held low"
        case "extra-clock":
            return f"one SCL pulse more than needed between a NACK and the {_ENDED_BY[arg & 1]}"
    raise ValueError(kind)
