"""Faults injected into the edges of a capture that passes, to test the rules that judge it."""
