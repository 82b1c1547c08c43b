"""How much work something is, measured with a yardstick: work that is known, done beside it.

A limit in seconds judges the machine and whoever else works on it; a file that is made to keep a
reader busy does so on every machine.
"""

import json
import re
import time
from collections.abc import Callable

_WORDS = " ".join(f"REQ-{number:04d} shall be met;" for number in range(2_000))
_WORD = re.compile(r"\b[A-Z]{2,}-(\d+)\b")


def effort(deed: Callable[[], object]) -> float:
    """Return the processor time of a deed of this process, in yardsticks.

    One is about a hundredth of a second of a quiet machine of 2024. It is measured before and
    after the deed, and the longer one counts: a moment in which the machine is slow falls on both.
    """
    before = _yardstick()
    began = time.process_time()
    deed()
    spent = time.process_time() - began
    return spent / max(before, _yardstick())


def _yardstick() -> float:
    """Search, sort, count and write: what reading a file consists of."""
    began = time.process_time()
    for _ in range(2):
        numbers = [int(found[1]) for found in _WORD.finditer(_WORDS)]
        counted: dict[str, int] = {}
        for word in _WORDS.split():
            counted[word] = counted.get(word, 0) + 1
        text = json.dumps(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
        assert len(json.loads(text)) == len(counted)
        assert sum(numbers) == 1_999_000
    return time.process_time() - began
