"""What real boards do and a quiet emulator does not: each fault is declared in a line, seeded, logged as it strikes."""
