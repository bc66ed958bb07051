"""How a model's weights may be kept while it draws, by name. Without torch."""

from dataclasses import dataclass

from t2v.checks import check_choice, check_flag
from t2v.devices import check_dtype

AUTO, HIGH, MEDIUM, LOW, CPU = "auto", "high", "medium", "low", "cpu"
PROFILES = {  # what each means, for people
    AUTO: "what the device has room for",
    HIGH: "all weights on the device",
    MEDIUM: "only the block that is computed",
    LOW: "only the layer that is computed, and few frames at once",
    CPU: "everything on the processor",
}
# where memory has run out: what comes next. On the processor itself there is nowhere else to go.
NEXT = {HIGH: MEDIUM, MEDIUM: LOW, LOW: CPU}
NEXT_ON_CPU = {HIGH: MEDIUM, CPU: MEDIUM, MEDIUM: LOW}
MOST_AT_ONCE = {LOW: 2}  # frames; what is computed of more than one takes room that the profile is to save
OFFLOADED = (MEDIUM, LOW)  # weights wait in the machine's memory
FP8_NOTE = "fp8 keeps the weights in eight bits, so the picture is not quite the one without it."


@dataclass(frozen=True)
class Kept:
    """How the weights of a run are to be kept.

    profile: one of PROFILES. fp8: weights of UNet and ControlNets are stored in eight bits and widened where
    they are used, which halves half precision's room and changes the picture. dtype: their precision, of
    DTYPES; None: what suits.
    """

    profile: str = AUTO
    fp8: bool = False
    dtype: str | None = None

    def check(self) -> None:
        """InputError for what names no profile, or no precision."""
        check_choice("profile", self.profile, PROFILES)
        check_flag("fp8", self.fp8)
        if self.dtype is not None:
            check_dtype(self.dtype)


def is_offloaded(profile: str) -> bool:
    """Whether weights wait in the machine's memory until they are used."""
    return profile in OFFLOADED


def after(profile: str, on_cpu: bool) -> str | None:
    """The profile that needs less memory than this one; None where there is none."""
    return (NEXT_ON_CPU if on_cpu else NEXT).get(profile)
