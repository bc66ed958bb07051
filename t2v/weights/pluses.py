"""A model's name cut at its pluses, and each piece at the @ before its strength; names may have both, too."""

import math
from collections.abc import Callable

IsThere = Callable[[str], bool]  # whether something has this name
Full = Callable[[str], str]  # a name as it is kept, in full


def pieces(text: str, is_there: IsThere, full: Full) -> list[str]:
    """A name cut at its pluses, but for those within the name of what is there."""
    parts, made = text.split("+"), []
    while parts:
        joined = (("+".join(parts[:end]), end) for end in range(len(parts), 1, -1))
        names = ((cut_strength(piece.strip(), is_there, full)[0], end) for piece, end in joined)
        end = next((end for name, end in names if is_there(name)), 1)
        made.append("+".join(parts[:end]))
        parts = parts[end:]
    return made


def cut_strength(piece: str, is_there: IsThere, full: Full) -> tuple[str, str | None]:
    """A name and the strength behind its last @, None where none is; a file's own @ belongs to its name."""
    name, at, strength = piece.rpartition("@")
    if not at or "+" in strength or is_there(piece) or is_there(piece.strip()):
        return piece, None
    is_name = math.isnan(number(strength)) and is_there(full(piece))
    return (piece, None) if is_name else (name, strength.strip())


def number(text: str) -> float:
    """What a text says; not a number (NaN) where it says none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
