"""The noise that is predicted with all a video is guided by: text, ControlNets' pictures, a source clip.

``Predictor`` is the one place where networks run: all frames at one time step, a chunk of frames at a time.
Frame 0 is in the first chunk, and its keys and values serve the chunks after it, in every network.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from einops import repeat

from t2v.diffusion.adapters import AdapterFeatures
from t2v.diffusion.calls import Caller, made_for_frames
from t2v.diffusion.controls import Control
from t2v.diffusion.deep_features import DeepFeatures
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.picture_prompt import seeing_picture
from t2v.diffusion.pictures import check_numbers
from t2v.memory.memory import Memory
from t2v.memory.placing import dtype_of


class Acting(NamedTuple):
    """What guides a time step: ControlNets, each with its network's caller; and T2I-Adapters."""

    networks: list[tuple[Control, Caller]]
    adapters: list[Control]


@dataclass(frozen=True, eq=False)
class Predictor:
    """Predicts the noise in all frames. chunk_size: frames in a network at once; never changes the result.

    caller: of the UNet; where memory is too little, fewer frames are in it at once. deep: what is kept of it
    from step to step. adapted: what T2I-Adapters make. controls: each with its network's caller, which
    T2I-Adapters do without. source: latents of the source clip
    (f c h w), not scaled, for UNets that take them as further channels; None for others.
    """

    caller: Caller
    guidance: Guidance
    chunk_size: int
    deep: DeepFeatures
    adapted: AdapterFeatures
    controls: Sequence[tuple[Control, Caller | None]] = ()
    source: torch.Tensor | None = None

    @property
    def unet(self) -> UNet2DConditionModel:
        """The network that predicts."""
        network: UNet2DConditionModel = self.caller.network
        return network

    @property
    def _unet_call(self) -> Callable[..., Any]:
        """How it is called: as it is where others look into it, which no recording repeats."""
        is_plain = self.deep.every == 1 and self.guidance.picture is None
        return self.caller if is_plain else self.caller.unrecorded

    @property
    def memory(self) -> Memory:
        """Where the networks are."""
        return self.caller.memory

    def __call__(self, latents: torch.Tensor, time: torch.Tensor, step: int, num_steps: int) -> torch.Tensor:
        """The noise in latents (f c h w), as the scheduler scaled them, at time step number ``step``.

        InputError where it is no number, in float32 too; OutOfMemory where no profile has room.
        """

        guidance = self.guidance.at(float(time))
        acts = [pair for pair in self.controls if pair[0].acts(step, num_steps)]
        self.deep.begin(step, len(guidance.embeds), (latents.shape, *(id(control) for control, _ in acts)))
        acting = Acting(
            [(control, caller) for control, caller in acts if caller is not None],
            [control for control, caller in acts if caller is None],
        )

        def chunked(at_once: int) -> torch.Tensor:
            return self._chunked(at_once, latents, time, step / num_steps, guidance, acting)

        found = self.memory.predict(chunked, self.chunk_size, latents, len(guidance.embeds))
        noise, are_numbers = found
        return noise if are_numbers else check_numbers(noise, self.unet.dtype)

    def _chunked(
        self,
        at_once: int,
        latents: torch.Tensor,
        time: torch.Tensor,
        done: float,
        guidance: Guidance,
        acting: Acting,
    ) -> torch.Tensor:
        branches, dtype, device = len(guidance.embeds), dtype_of(self.unet), self.memory.device
        noise = torch.empty_like(latents, dtype=torch.float32)
        time = torch.full((), time.item(), dtype=time.dtype, device=device)  # copied there, Python would wait
        for start in range(0, len(latents), at_once):
            frames = self._chunk(start, at_once, len(latents))
            noisy = repeat(latents[frames].to(device, dtype), "f c h w -> (b f) c h w", b=branches)
            text = guidance.text(frames.start, len(latents[frames]), done).to(device, dtype)
            told = guidance.added(frames, latents[frames].to(device), done)
            for caller in (self.caller, *(caller for _, caller in acting.networks)):
                caller.bank.expect(branches, start == 0, guidance.alike(self.source is not None))
            numbers = range(frames.start, frames.start + len(latents[frames]))
            if self.deep.is_known:
                added = self.deep.added(numbers)
            else:
                added = self._added(
                    [
                        control.residuals(noisy, time, text, frames, told, call)
                        for control, call in acting.networks
                    ]
                )
            down = self.adapted.added(acting.adapters, numbers, branches, noisy, self.deep.is_known)
            with self.deep.around(numbers, added):
                predicted = self._unet_call(
                    self._beside_source(noisy, frames, guidance.shown),
                    time,
                    encoder_hidden_states=text,
                    timestep_cond=_beside(guidance.embedding, noisy),
                    **told,
                    **added,
                    **down,
                ).sample
            noise[frames] = guidance.combine(predicted.float())
        return noise

    def _chunk(self, start: int, at_once: int, count: int) -> slice:
        """The frames that a chunk from ``start`` holds. What is compiled gets as many in each.

        The last one, were it smaller, begins with frames that have been predicted, and gives the same again.
        """
        if self.memory.compiles and start > 0 and count < start + at_once:
            return slice(count - at_once, count)
        return slice(start, start + at_once)

    def _added(self, residuals: list[list[torch.Tensor]]) -> dict[str, Any]:
        """The residuals of all acting ControlNets, summed, as the UNet takes them."""
        if not residuals:
            return {}
        *down, middle = (
            sum(parts[1:], parts[0]).to(dtype_of(self.unet)) for parts in zip(*residuals, strict=True)
        )
        return {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": middle}

    def _beside_source(self, noisy: torch.Tensor, frames: slice, shown: Sequence[bool]) -> torch.Tensor:
        """((b f) c h w) to ((b f) 2c h w): the source's channels follow, zeros in branches not shown it."""
        if self.source is None:
            return noisy
        source = self.source[frames].to(noisy)
        seen = [source if one else torch.zeros_like(source) for one in shown]
        return torch.cat([noisy, torch.cat(seen)], dim=1)


def _beside(values: torch.Tensor | None, noisy: torch.Tensor) -> torch.Tensor | None:
    """On the device and in the precision of what is computed with."""
    return None if values is None else values.to(noisy)


@contextmanager
def ready_to_predict(
    unet: UNet2DConditionModel,
    memory: Memory,
    guidance: Guidance,
    chunk_size: int,
    *,
    cross_frame: bool = True,
    controls: Sequence[Control] = (),
    source: torch.Tensor | None = None,
    cache_steps: int = 1,
) -> Iterator[Predictor]:
    """A Predictor, with all that it needs installed in the networks; taken out again, come what may.

    cache_steps: as in ``Shortcuts``. InputError where the UNet cannot do that.
    """
    deep = DeepFeatures(unet, memory, cache_steps)
    with ExitStack() as installed:
        installed.enter_context(memory.narrowed_after())

        def prepare(network: torch.nn.Module) -> Caller:
            branches, apart = len(guidance.embeds), guidance.tells_apart
            is_plain = cache_steps == 1 and guidance.picture is None  # else see ``Predictor._unet_call``
            memory.lay_out(network)  # which recordings go by
            places = memory.replays.begin(network) if memory.records and is_plain else None
            ready = made_for_frames(network, cross_frame, places, apart)
            bank = installed.enter_context(ready)
            return Caller.of(network, memory, bank, branches, apart, cross_frame)

        caller = prepare(unet)
        installed.enter_context(seeing_picture(unet, guidance.picture, caller.bank))
        pairs = [(control, None if control.is_adapter else prepare(control.network)) for control in controls]
        yield Predictor(caller, guidance, chunk_size, deep, AdapterFeatures(memory), pairs, source)
