"""A run that waits for files from the hub says so, and Stop ends the waiting."""

from pathlib import Path
from threading import Condition

import pytest

from t2v.diffusion.progress import Cancelled
from t2v.jobs.job import Job
from t2v.jobs.worker import Worker
from t2v.weights.fetching import Fetching, fetch, told_of_fetching


class Fetches:
    """An engine whose model comes in two pieces, and then cannot be used."""

    def __init__(self, seen: list[str], job: Job, stops: bool) -> None:
        self.seen, self.job, self.stops = seen, job, stops

    def resolve(self, settings):
        import huggingface_hub

        def download(place, file, local_files_only, tqdm_class):
            bar = tqdm_class(total=2_000_000, disable=True)
            for _ in range(2):
                bar.update(1_000_000)
                self.seen.append(self.job.label)
                self.job.stop_asked = self.stops
            return "x"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(huggingface_hub, "hf_hub_download", download)
            fetch("someone/model", "unet/model.safetensors", local=False)
        raise Cancelled


@pytest.mark.parametrize("stops", [False, True])
def test_a_run_tells_what_it_waits_for(tmp_path, stops):
    from t2v.tasks.text_to_video import TextToVideoSettings

    seen, job = [], Job("id", TextToVideoSettings("a cat", model="someone/model"), state="running")
    worker = Worker(Fetches(seen, job, stops), tmp_path, Condition())
    assert worker.run(job) == ("stopped", None)
    told = "Fetching unet/model.safetensors, 1.0 of 2.0 MB"
    assert seen == ([told] if stops else [told, "Loading the model"])


def test_nobody_is_told_outside_of_it(tmp_path, monkeypatch):
    import huggingface_hub

    given = []
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda *_, **named: given.append(named) or str(tmp_path / "x")
    )
    with told_of_fetching(lambda file: None):
        pass
    assert fetch("someone/model", "x", local=True) == Path(tmp_path / "x")
    assert given == [{"local_files_only": True}]
    assert Fetching("a/b", "x", 1, 2).total == 2
