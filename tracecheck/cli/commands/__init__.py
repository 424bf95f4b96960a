"""What a person types, one file a command: its arguments, and what its `--help` says.

Each hands its arguments to the module of `tracecheck.cli` that runs it, imported then, so `--help`
loads neither numpy nor pyarrow.
"""
