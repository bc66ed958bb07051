"""How much memory a device has left."""

from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
LIMITS = (  # limit, use, statistics, and the name there of what the kernel would give up at once
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)


def free_bytes(device: str) -> int | None:
    """Bytes that a device ("cpu", "cuda:1", "mps") can still give this process; None where nothing tells."""
    if device.startswith("cpu"):
        return _of_cpu()
    import torch

    try:
        if device.startswith("cuda"):
            free, _ = torch.cuda.mem_get_info(device)
            unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            return int(free + unused)
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    except (RuntimeError, AttributeError):  # a driver that cannot be asked, as where a GPU is only lent
        return None


def let_go_of_unused(device: str) -> None:
    """Give back what the device's allocator keeps for later."""
    import gc

    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device.startswith("mps"):
        torch.mps.empty_cache()


def _of_cpu() -> int:
    import psutil  # type: ignore[import-untyped]

    left = [int(psutil.virtual_memory().available)]
    left += [room for names in LIMITS if (room := _of_group(CGROUP, *names)) is not None]
    return max(0, min(left))


def _of_group(root: Path, limit: str, use: str, statistics: str, given_up: str) -> int | None:
    """What a container's limit leaves; None where there is none."""
    try:
        most, used = (int((root / name).read_text()) for name in (limit, use))
        lines = (root / statistics).read_text().splitlines()
        kept = dict(line.split() for line in lines if len(line.split()) == 2)
        return most - used + int(kept.get(given_up, 0))
    except (OSError, ValueError):  # no such group; "max" stands for no limit
        return None
