"""What was made for some objects, for the last few of them."""

from collections.abc import Callable
from threading import RLock
from typing import Any


class Memo:
    """Remembers results by the identity of what they were made for, which is kept: no other object takes its place."""

    def __init__(self, size: int):
        self.size = size
        self.entries: dict[tuple[int, ...], tuple[tuple, Any]] = {}
        self.lock = RLock()  # threads may ask at once

    def get(self, key: tuple, make: Callable[[], Any]) -> Any:
        """What :func:`make` gave for these very objects before, or gives now; the oldest results are forgotten."""
        identity = tuple(map(id, key))
        with self.lock:
            if identity not in self.entries:
                while len(self.entries) >= self.size:
                    del self.entries[next(iter(self.entries))]
                self.entries[identity] = key, make()
            return self.entries[identity][1]

    def __len__(self) -> int:
        return len(self.entries)

    def __reduce__(self):
        return Memo, (self.size,)  # a copy starts empty: what was made belongs to the objects of the original
