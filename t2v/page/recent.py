"""The last results of something that takes a while, kept by what they were made from."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Recent:
    """The last ``size`` results by key; those that are dropped are given to ``dropped``."""

    size: int
    dropped: Callable[[Any], object] = lambda _: None
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under the key, else what ``make`` gives; others need not wait while it works."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            over = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - self.size)]
        for one in over:
            self.dropped(one)
        return made
