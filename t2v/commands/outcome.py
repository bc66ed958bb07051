"""What a command came to: what it prints, and its exit status."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """report: for ``--json``. sentence: for people. status: of the process, 0 where all went well."""

    report: dict[str, Any]
    sentence: str
    as_json: bool = False
    status: int = 0
