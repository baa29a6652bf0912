"""A saved model loads in any process that has imported the package, in whatever order."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

import keras
import pytest
from training import toy

import power_bert_tf
from power_bert_tf import registered
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.search_optimizer import search_optimizer

# These stand in files that are out there: they never change.
NAMES = {
    "AttentionOutput",
    "BertAdamW",
    "BertClassifier",
    "BertEmbeddings",
    "Between",
    "ClsPooling",
    "Contributing",
    "ContributionPredictor",
    "ContributionThreshold",
    "Extract",
    "Extraction",
    "FeedForward",
    "LayerNorm",
    "MaskBudget",
    "MultipleChoiceAccuracy",
    "MultipleChoiceLoss",
    "NoReduction",
    "Packing",
    "Positions",
    "Presence",
    "RelativeBudget",
    "Removal",
    "SelfAttention",
    "SignificanceScore",
    "SoftExtract",
    "SoftExtraction",
    "SoftMask",
    "SoftRemoval",
    "StaticScore",
    "StayingRows",
    "SteepnessSchedule",
    "UnitInterval",
    "WarmupLinearDecay",
}


def run(code):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )


def test_registered_names_stay():
    custom = keras.saving.get_custom_objects()
    found = {name for name in custom if name.startswith("power_bert_tf>")}
    assert found == {f"power_bert_tf>{name}" for name in NAMES}


def test_every_registered_class_is_in_a_module_that_is_imported():
    """Also where nothing has imported it but Keras' loading."""
    root = pathlib.Path(power_bert_tf.__file__).parent
    for path in root.rglob("*.py"):
        if "register_keras_serializable(" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(root.parent).with_suffix("").parts
            room = ".".join(parts[:2])
            assert {".".join(parts), room} & set(registered._modules()), path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A compiled search model and a PoWER-BERT."""
    folder = tmp_path_factory.mktemp("saved")
    search = toy.classifier(seed=0, reduction=SoftExtraction(0.1))
    search.compile(search_optimizer(1e-3, 1e-2, 10), "sparse_categorical_crossentropy")
    search.save(folder / "search.keras")
    toy.classifier(seed=0, reduction=Extraction("5,2")).save(folder / "power.keras")
    return folder


ORDERS = {
    "keras first": "import keras, power_bert_tf",
    "the package first": "import power_bert_tf, keras",
    "tensorflow first": "import tensorflow, power_bert_tf, keras",
    "a part of it brings keras": "from power_bert_tf import SoftExtract; import keras",
}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_models_load_in_a_fresh_process(saved, order):
    code = (
        f"{ORDERS[order]}\n"
        f"search = keras.models.load_model({str(saved / 'search.keras')!r})\n"
        f"power = keras.models.load_model({str(saved / 'power.keras')!r})\n"
        "print(search.compiled, type(search.optimizer).__name__, power.reduction.retention)"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True MultiOptimizer 5,2\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        "layers",
        "layers.ranking",
        "modeling",
        "modeling.config",
        "training.optimizers",
        "training.backup",
        "methods.power_bert.method",
        "methods.power_bert.soft_extract",
        "deploy.compiled",
        "runs.fit",
    ],
)
def test_any_module_may_come_first(module):
    done = run(
        f"import power_bert_tf.{module}, keras\n"
        "names = keras.saving.get_custom_objects()\n"
        "print(sum(name.startswith('power_bert_tf>') for name in names))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(NAMES)}\n"


def test_the_package_alone_is_light():
    done = run(
        "import sys, power_bert_tf, power_bert_tf.cli\n"
        "print(sorted({'keras', 'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    assert done.returncode == 0, done.stderr
    # simple_parsing brings NumPy where it is installed.
    assert set(eval(done.stdout)) <= {"numpy"}


def test_the_package_says_its_version():
    assert power_bert_tf.__version__ == importlib.metadata.version("power-bert-tf")
    assert not hasattr(power_bert_tf, "__versions__")
