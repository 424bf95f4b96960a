"""A rule file as it grows: its head, its pins, presets, rules, and what was left out of it and why."""

from __future__ import annotations

from dataclasses import dataclass, field


def quoted(text: str) -> str:
    """A TOML string of any text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0x20 or ord(c) == 0x7F else c for c in escaped) + '"'


def counted(count: int, noun: str) -> str:
    """`3 transfers`, `1 transfer`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Block:
    """A rule as text: `keys` in order, their values in TOML; `said`: what it was learned from."""

    id: str
    keys: dict[str, str]
    said: str

    def text(self) -> str:
        lines = [f"# {self.said}", "[[rule]]", f"id = {quoted(self.id)}"]
        return "\n".join([*lines, *(f"{key} = {value}" for key, value in self.keys.items())])


@dataclass(slots=True)
class Draft:
    """The file as it grows. `left_out`: why a rule is not in it, by its id."""

    head: list[str]
    pins: str
    presets: list[str]
    disabled: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        lines = [*self.head, "", "version = 1"]
        if self.presets:
            lines.append(f"extends = [{', '.join(map(quoted, self.presets))}]")
        if self.disabled:
            lines += [
                "",
                "# Rules of the presets that the capture does not pass, or that have nothing to judge in it.",
                "disable = [",
            ]
            lines += [f"    {quoted(name)},  # {why}" for name, why in self.disabled.items()] + ["]"]
        lines += ["", self.pins]
        for block in self.blocks:
            lines += ["", block.text()]
        if self.left_out:
            lines += ["", "# Left out:", *(f"# {name}: {why}" for name, why in self.left_out.items())]
        return "\n".join(lines) + "\n"
