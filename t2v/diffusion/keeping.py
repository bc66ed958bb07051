"""A pipeline's part that knows where its weights are kept, and goes on where memory runs out."""

from functools import partial
from typing import Any

import torch

from t2v.memory.memory import Memory

TEXT_ENCODERS = ("text_encoder", "text_encoder_2")
NETWORKS = ("unet", "vae", *TEXT_ENCODERS, "image_encoder")


class KeptInMemory:
    """A pipeline whose weights are kept by a profile of ``t2v.memory``; until it is told, as found."""

    @property
    def memory(self) -> Memory:
        """Where its weights are, and what helps where memory runs short."""
        found: Memory | None = self.__dict__.get("_memory")
        if found is None:
            found = self.__dict__["_memory"] = Memory(self._networks, self._tell_people)
        return found

    @property
    def device(self) -> torch.device:
        """Where latents and embeddings are, also where weights wait or compute elsewhere."""
        return self.memory.home

    def encode_prompt(self, *args: Any, **told: Any) -> Any:
        """As diffusers has it, wherever the weights are; again in float32 where half precision overflows."""
        told.pop("device", None)
        plain = super().encode_prompt  # type: ignore[misc]

        def encoded() -> Any:
            return plain(*args, **told, **({} if len(args) > 1 else {"device": self.memory.device}))

        for name in TEXT_ENCODERS:
            if name in self._networks():
                encoded = partial(self.memory.tell_apart, encoded, _are_numbers, name)
        return tuple(None if one is None else one.to(self.device) for one in encoded())

    def _networks(self) -> dict[str, torch.nn.Module]:
        found = {name: getattr(self, name, None) for name in NETWORKS}
        return {name: one for name, one in found.items() if isinstance(one, torch.nn.Module)}

    def _tell_people(self, sentence: str) -> None:
        self.tell(sentence)  # type: ignore[attr-defined]


def _are_numbers(embeddings: Any) -> bool:
    return all(bool(one.isfinite().all()) for one in embeddings if one is not None)
