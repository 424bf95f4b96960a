"""One file a kind of rule: from the events of a window to instances and their verdicts."""
