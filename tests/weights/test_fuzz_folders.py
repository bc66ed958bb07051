"""Folders of models full of whatever there may be: nothing in them ends what lists them, or is told twice."""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from strange_folders import strange_folder, without_overriding

from t2v.checks import InputError
from t2v.commands.models import models
from t2v.engine.check_weights import check_weights
from t2v.engine.defaults import told_defaults
from t2v.page.lora_rows import offered_loras
from t2v.page.model_told import told_html
from t2v.tasks import Settings
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import read_card
from t2v.weights.family import FAMILIES
from t2v.weights.listing import on_offer
from t2v.weights.models_folder import contents, networks_of_folder, use_models_folder
from t2v.weights.picture_adapters import adapters_for
from t2v.weights.small_vae import small_vae_of
from t2v.weights.source import Source, as_path
from t2v.weights.words import named_words


@fuzzed(60)
@given(seed=st.integers(0, 2**32))
def test_strange_folders(seed):
    root = Path(tempfile.mkdtemp()) / "models"
    root.mkdir()
    shut = strange_folder(root, random.Random(seed))
    use_models_folder(root)
    try:
        for path in shut:
            path.chmod(0)
        with without_overriding():
            _check(root, shut)
    finally:
        use_models_folder(None)
        for path in shut:
            path.chmod(0o700)
        shutil.rmtree(root.parent)


def _check(root: Path, shut: list[Path]) -> None:
    found = contents(root)
    named = {one.name: one.path for one in found.named}
    assert len(named) == len(found.named) and len(set(named.values())) == len(named)
    real = [os.path.realpath(path) for path in named.values() if not path.is_symlink()]
    assert len(set(real)) == len(real)  # by whatever circles they are reached
    left_out = [one.path for one in found.left_out]
    assert len(set(left_out)) == len(left_out)
    told_shut = {one.path for one in found.left_out if one.why == "cannot be looked into (Permission denied)"}
    seen = {
        path for path in shut if path.parent == root and path.name[0] != "." and "\udce9" not in path.name
    }
    assert seen <= told_shut and _real(told_shut) <= _real(shut)
    for name, path in named.items():
        assert as_path(name).samefile(path) and name.encode()
        for asked in (TextToVideoSettings("a cat", model=name), CannySettings("x.mp4", "a", controlnet=name)):
            _is_drawn_with_or_refused(asked)
        _is_drawn_with_or_refused(TextToVideoSettings("a", model=f"miniature+{name}", ip_adapter=name))
        told_html(name, False), read_card(Source.parse(name)), told_defaults(name, TextToVideoSettings)
    assert on_offer(True) == [] and {name for _, name in on_offer(False)} <= set(named)
    assert not [label for label, _ in offered_loras() if "bundled" not in label]
    assert adapters_for(768) == () and list(networks_of_folder(root)) == list(networks_of_folder(root))
    assert named_words("a cat") == () and [small_vae_of(family) for family in FAMILIES] == [None] * len(
        FAMILIES
    )
    told = models(["--models", str(root)], "generate.py")
    assert len(told.sentence.split("\n")) == 1 + len(named) + len(left_out)
    assert "\x1b" not in told.sentence and told.sentence.encode()
    assert len(json.loads(json.dumps(told.report))["models"]) == len(named)


def _is_drawn_with_or_refused(settings: Settings) -> None:
    try:
        check_weights(settings)
    except InputError as error:
        assert str(error)[-1] in ".?" and "\n" not in str(error)


def _real(paths: Iterable[Path]) -> set[str]:
    return set(map(os.path.realpath, paths))
