"""Iterators that run ahead in threads, while what they yield is handed over in order.

For work that lets the GIL go, as inflating does. How far they run ahead is bounded, and nothing runs on behind the
caller's back: when the iteration ends, however it ends, so have the threads.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_UP_S = 0.5
"""How long the caller sleeps at most: a signal that comes just as it lies down does not wake it, and Ctrl-C would then
wait for a thread that may itself be waiting."""


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ahead(sources: Sequence[Callable[[], Iterator[T]]], threads: int, room: int) -> Generator[T, None, None]:
    """What the sources yield, one after the other, as if they were chained.

    `threads` of them run at a time, each until `room` items of it wait to be taken, and none that is 2 * `threads`
    sources away from being needed. An exception of a source is raised when what it yielded before has been handed over.
    """
    board = _Board(sources, 2 * threads, room)
    workers = [
        threading.Thread(target=board.work, name=f"tracecheck-ahead-{k}", daemon=True)
        for k in range(min(threads, len(sources)))
    ]
    try:
        for worker in workers:
            worker.start()
        yield from board.items()
    finally:
        board.stop()
        for worker in workers:
            if worker.is_alive():  # one that an interrupt caught being started finds that all is over, and does nothing
                worker.join()


class _Shelf(Generic[T]):
    """What one source has yielded and nobody has taken; whether there is more to come, and what it failed of."""

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self.complete = False
        self.error: BaseException | None = None


class _Board(Generic[T]):
    """Where threads and the caller meet; all of it changes under one lock."""

    def __init__(self, sources: Sequence[Callable[[], Iterator[T]]], open_sources: int, room: int) -> None:
        self._sources, self._open, self._room = sources, open_sources, room
        self._shelves: deque[_Shelf[T]] = deque()
        self._begun = 0
        self._stopped = False
        self._changed = threading.Condition()

    def items(self) -> Iterator[T]:
        for _ in self._sources:
            while True:
                with self._changed:
                    while not self._changed.wait_for(self._any, _LOOK_UP_S):
                        pass
                    shelf = self._shelves[0]
                    taken = list(shelf.items)
                    shelf.items.clear()
                    over = shelf.complete
                    if over:
                        self._shelves.popleft()
                    self._changed.notify_all()
                yield from taken
                if shelf.error is not None and over:
                    raise shelf.error
                if over:
                    break

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def work(self) -> None:
        """A thread's life: one source after the other."""
        while (begun := self._begin()) is not None:
            shelf, source = begun
            error: BaseException | None = None
            try:
                for item in source():
                    if not self._put(shelf, item):
                        return
            except BaseException as raised:  # the caller's to handle, whatever it is
                error = raised
            with self._changed:
                shelf.complete, shelf.error = True, error
                self._changed.notify_all()

    def _any(self) -> bool:
        return bool(self._shelves) and (bool(self._shelves[0].items) or self._shelves[0].complete)

    def _begin(self) -> tuple[_Shelf[T], Callable[[], Iterator[T]]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._shelves) < self._open or self._all_begun())
            if self._stopped or self._all_begun():
                return None
            shelf: _Shelf[T] = _Shelf()
            self._shelves.append(shelf)
            self._begun += 1
            return shelf, self._sources[self._begun - 1]

    def _all_begun(self) -> bool:
        return self._begun == len(self._sources)

    def _put(self, shelf: _Shelf[T], item: T) -> bool:
        """False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(shelf.items) < self._room)
            shelf.items.append(item)
            self._changed.notify_all()
            return not self._stopped
