"""schedule.py: of a saved scheduler its numbers are taken, never its class."""

import inspect

import diffusers
import pytest
import torch
from conftest import SD_SCHEDULE, seeded, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.options import SCHEDULERS, Motion
from t2v.diffusion.sampling import make_scheduler
from t2v.diffusion.schedule import saved_scheduler

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def config(kind: str, **changes) -> dict:
    """What a file tells that was saved with this class."""
    return {"_class_name": kind, "_diffusers_version": "0.20.0", "num_train_timesteps": 1000, **SD, **changes}


def drawn_with(saved: dict, name: str, steps: int = 20) -> diffusers.SchedulerMixin:
    """The sampler asked for, of a pipeline whose model was saved so."""
    held = saved_scheduler(saved)
    return make_scheduler(name, {**held.config, "_class_name": type(held).__name__}, steps)


ODD = [
    config("DEISMultistepScheduler", algorithm_type="deis", solver_type="logrho", solver_order=2),
    config("LMSDiscreteScheduler"),
    config("DPMSolverSDEScheduler", noise_sampler_seed=3),
    config("DPMSolverMultistepScheduler", algorithm_type="dpmsolver", final_sigmas_type="zero"),
    config("UniPCMultistepScheduler", solver_type="bh7", predict_x0=False, disable_corrector="x", solver_p=4),
    config("EulerDiscreteScheduler", use_beta_sigmas=True, timestep_type="continuous"),
    config("HeunDiscreteScheduler", use_karras_sigmas=True, use_exponential_sigmas=True),
    config("NoSuchScheduler", beta_end=0.012),
    config("TCDScheduler", eta=5),
    {**config("PNDMScheduler"), "_use_default_values": 7, "_class_name": ["a", "list"]},
]


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("saved", ODD, ids=lambda saved: str(saved["_class_name"]))
def test_every_sampler_draws_with_what_was_saved_as_another(saved, name):
    scheduler = drawn_with(saved, name)
    assert type(scheduler).__name__ == SCHEDULERS[name]
    betas = diffusers.DDIMScheduler(**SD).alphas_cumprod
    assert torch.equal(scheduler.alphas_cumprod, betas)
    defaults = inspect.signature(type(scheduler).__init__).parameters
    for own in ("algorithm_type", "solver_type", "solver_order", "predict_x0"):
        if own in defaults:
            assert scheduler.config[own] == defaults[own].default


def test_a_samplers_own_ways_are_kept_for_itself_alone():
    dpm = config("DPMSolverMultistepScheduler", algorithm_type="sde-dpmsolver++", solver_order=3)
    kept = drawn_with(dpm, "dpm++").config
    assert (kept.algorithm_type, kept.solver_order) == ("sde-dpmsolver++", 3)
    assert drawn_with(dpm, "unipc").config.solver_order == 2
    karras = config("DPMSolverSinglestepScheduler", use_karras_sigmas=True)
    assert drawn_with(karras, "euler").config.use_karras_sigmas  # a spacing, and so anyone's


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("kind", ["PNDMScheduler", "DDIMScheduler", "EulerAncestralDiscreteScheduler"])
def test_files_as_they_were_always_right_give_what_diffusers_gives(kind, name):
    found = getattr(diffusers, kind)(**SD, steps_offset=1)
    own = {"clip_sample": False} if name in ("ddim", "lcm", "tcd") else {}
    theirs = getattr(diffusers, SCHEDULERS[name]).from_config(found.config, **own)
    theirs.set_timesteps(20)
    ours = make_scheduler(name, {**found.config, "_class_name": kind}, 20)
    for part in ("timesteps", "alphas_cumprod", "sigmas", "final_alpha_cumprod"):
        if hasattr(theirs, part) and name != "lcm":
            assert torch.equal(getattr(ours, part), getattr(theirs, part))
    for field in inspect.signature(type(ours).__init__).parameters:
        assert ours.config.get(field) == theirs.config.get(field)


@pytest.mark.parametrize("offset", [{}, {"steps_offset": 0}])
def test_without_an_offset_steps_lie_where_diffusers_own_pipeline_has_them(pipeline, offset):
    """Its constructor sets 1 where a file tells another or none, and so moves every step."""
    saved = {**config("DDIMScheduler", clip_sample=False, set_alpha_to_one=False), **offset}
    parts = {**pipeline.components, "scheduler": diffusers.DDIMScheduler.from_config(saved)}
    plain = diffusers.StableDiffusionPipeline(**parts, requires_safety_checker=False)
    plain.scheduler.set_timesteps(10)
    ours = drawn_with(saved, "ddim", 10)
    assert ours.timesteps.tolist() == plain.scheduler.timesteps.tolist()
    assert ours.timesteps[0] == 901


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"beta_schedule": "sigmoid"}, "beta_schedule 'sigmoid', not linear or scaled_linear or"),
        ({"beta_start": float("nan")}, "beta_start nan, not a number between 0 and 1"),
        ({"beta_end": True}, "beta_end True"),
        ({"num_train_timesteps": 10**12}, "num_train_timesteps 1000000000000, not 1000"),
        ({"trained_betas": [0.5, 0.5]}, "trained_betas .*, not 1000 numbers above 0"),
        ({"prediction_type": "flow_prediction"}, "prediction_type 'flow_prediction', not epsilon or"),
        ({"timestep_spacing": ["x"]}, "timestep_spacing"),
        ({"rescale_betas_zero_snr": 1}, "rescale_betas_zero_snr 1, not True or False"),
        ({"rescale_betas_zero_snr": True}, "zero terminal SNR.*set its prediction_type to v_prediction"),
        ({"trained_betas": [0.01] * 999 + [1.0]}, "zero terminal SNR"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "FlowMatchEuler.* noise is not Stable"),
        ({"_class_name": "EDMEulerScheduler"}, "EDMEulerScheduler"),
    ],
)
def test_noise_that_is_not_drawn_from_is_refused_in_a_sentence(changes, told):
    with pytest.raises(InputError, match=told) as refusal:
        saved_scheduler({**config("DDIMScheduler"), **changes})
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 250


ZERO = [{"rescale_betas_zero_snr": True}, {"trained_betas": [*([0.01] * 999), 1.0]}]


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("zero", ZERO, ids=["rescaled", "trained"])
def test_schedules_that_end_in_pure_noise_draw_from_one_step_on(name, zero):
    pipeline = small_pipeline()
    for spacing in ("leading", "trailing"):
        saved = config("DDIMScheduler", prediction_type="v_prediction", timestep_spacing=spacing, **zero)
        pipeline.scheduler = saved_scheduler(saved)
        for steps, motion in ((1, Motion()), (2, Motion(t0=999, t1=999)), (3, Motion()), (11, Motion())):
            latents = pipeline(
                "a cat",
                num_frames=2,
                num_inference_steps=steps,
                height=32,
                width=32,
                scheduler=name,
                motion=motion,
                generator=seeded(),
            )
            assert latents.isfinite().all() and latents.abs().max() < 100


def test_every_time_can_be_a_step():
    for name in SCHEDULERS:
        times = make_scheduler(name, diffusers.PNDMScheduler(**SD_SCHEDULE).config, 1000).timesteps
        assert (int(times[0]), int(times[-1])) == (999, 0)


def test_a_model_that_predicts_samples_names_the_samplers_that_cannot():
    saved = config("DDIMScheduler", prediction_type="sample")
    with pytest.raises(InputError, match="scheduler is euler-ancestral, .* choose ddim"):
        drawn_with(saved, "euler-ancestral")
    assert drawn_with(saved, "ddim").config.prediction_type == "sample"
