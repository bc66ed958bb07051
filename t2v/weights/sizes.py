"""Sizes of files in words."""


def unit_of(size: int) -> tuple[int, str]:
    """The unit in which so many bytes are told: how many bytes it has, and its name."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB")):
        if size >= unit:
            return unit, name
    return 1000, "KB"


def size_words(size: int) -> str:
    """ "2.1 GB", "144 MB", "3 KB"."""
    unit, name = unit_of(size)
    if name == "KB":
        return f"{max(size // unit, 1)} KB"
    return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
