"""Captures: files and arrays in, blocks of edges out. `open` takes a file of any known format."""

from tracecheck.capture.formats import open_capture as open  # noqa: A004 - said with its package: capture.open
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.capture.rate import parse_rate

__all__ = ["ArrayCapture", "Capture", "Channel", "EdgeBlock", "open", "parse_rate"]
