"""The rule files that ship with tracecheck: written in the same language as anybody's, and read by the same loader."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def preset_names() -> tuple[str, ...]:
    """All presets, sorted by name."""
    folder = files("tracecheck.rules") / "presets"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def preset_text(name: str) -> str:
    """The TOML of a preset. Raises FileNotFoundError where there is none of that name."""
    if name not in preset_names():
        raise FileNotFoundError(name)
    return (files("tracecheck.rules") / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def presets() -> dict[str, str]:
    """Name and one-line summary (its first comment line) of each preset."""
    return {name: preset_text(name).split("\n", 1)[0].lstrip("# ") for name in preset_names()}
