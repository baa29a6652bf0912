"""`power-bert benchmark`: how much faster, measured on this machine."""

import dataclasses
import pathlib

import keras
import numpy as np
import simple_parsing

from power_bert_tf.deploy.batching import check_batch_overhead
from power_bert_tf.deploy.runtimes import NATIVE
from power_bert_tf.deploy.runtimes import RUNTIMES
from power_bert_tf.deploy.runtimes import default_runtime
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.measure import benchmark_table
from power_bert_tf.measure.comparison import operations
from power_bert_tf.measure.comparison import times
from power_bert_tf.measure.machine import measured_on
from power_bert_tf.measure.peak import matrix_product_peak
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling import RetentionConfiguration

DTYPES = ("float32", "bfloat16", "float16")
_LONGEST = 512
# What `choose` reads; it tries all runtimes and dtypes itself.
_WITH_CHOOSE = ("run", "batch_size", "runs", "most_drop", "output")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Time BERT and PoWER-BERT side by side, padded and in length buckets.

    Of a size, with random weights: speed depends on sizes, lengths and the retention
    configuration, not on what the weights are. Or of a finished run, on its dev examples. BERT is
    the fastest honest one, which too leaves out what nobody reads; the graph as it is trained has
    a row of its own. All ways are interleaved in one process. A size runs on TensorFlow and, with
    KERAS_BACKEND=jax, on JAX without TensorFlow installed.
    """

    retention: str | None = simple_parsing.field(positional=True, default=None, nargs="?")
    """Retention configuration, such as '80,73,70' or, relative, '80,73,70 of 128'; that of --run
    or --model where left out."""
    size: str | None = None
    """bert-tiny, bert-mini, bert-small, bert-medium, minilm-l6, bert-base or bert-large;
    albert-base, -large, -xlarge or -xxlarge; distilbert-base; roberta-base or -large. bert-base
    where nothing is given."""
    run: pathlib.Path | None = None
    """Folder of a finished run, instead of a size."""
    model: pathlib.Path | None = None
    """A .keras file of a classifier, instead of a size."""
    sequence_length: int | None = None
    """N, in word-pieces, of a size; 128 where left out."""
    lengths: pathlib.Path | None = None
    """File with the length of a real text in each line, in word-pieces; N each where left out,
    and those of the dev examples for a run."""
    task: str | None = None
    """Lengths of the dev examples of a task of the paper instead, such as sst2 or mnli-m. Needs
    --vocabulary."""
    vocabulary: pathlib.Path | None = None
    """vocab.txt or spiece.model that --task is cut into pieces by."""
    tfds_dir: pathlib.Path | None = None
    """Where tensorflow-datasets has prepared the task; it downloads where left out."""
    texts: int | None = None
    """How many texts, drawn from the lengths; one batch where left out."""
    batch_size: int = 128
    """Texts a batch, at most."""
    batch_overhead: float = 64
    """What a batch costs beside its word-vectors, in word-vectors."""
    runs: int = 100
    """Measured rounds of all ways."""
    runtime: str | None = None
    """What the graphs run on; the backend of Keras where left out."""
    dtype: str = "float32"
    """float32, bfloat16 or float16."""
    xla: bool = False
    """Compile with XLA, on TensorFlow; JAX always does."""
    choose: bool = False
    """With --run: find what is fastest here, and write it into the run folder, where `predict`
    and `evaluate` use it. Of the other options --batch-size, --runs, --most-drop and --output go
    with it."""
    most_drop: float = 0.1
    """With --choose: points of the metric that 16 bits may cost on the dev examples."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""
    picture: pathlib.Path | None = None
    """PNG file for a picture of them."""

    def execute(self):
        """Prints a table; returns the figures as a dict.

        Raises:
            InputError: where an option or a file cannot be used.
        """
        self._check()
        if self.choose:
            from power_bert_tf.runs.choose import choose

            return choose(self.run, self.batch_size, self.runs, self.most_drop, self.output)
        name, bert, power = self._models()
        sizes = self._sizes(bert.sequence_length)
        retention = power.reduction.retention
        random = np.random.default_rng(0)
        token_ids = [random.integers(0, bert.config.vocabulary_size, size) for size in sizes]
        result = {
            "model": name,
            "sequence_length": bert.sequence_length,
            "mean_length": float(sizes.mean()),
            "retention": str(retention),
            "xla": self.xla or keras.config.backend() == "jax",
            "operations": operations(bert.config, bert.sequence_length, retention, sizes),
            "time": times(
                bert,
                power,
                token_ids,
                [np.zeros_like(ids) for ids in token_ids],
                textbook=True,
                batch_size=self.batch_size,
                batch_overhead=self.batch_overhead,
                runtime=self.runtime,
                dtype=self.dtype,
                jit_compile=self.xla,
                rounds={
                    "budget_seconds": float("inf"),
                    "least_runs": self.runs,
                    "most_runs": self.runs,
                },
            ),
            "matrix_product_peak": matrix_product_peak(self.dtype, self.runtime),
            **self._machine(),
        }
        result["rows"] = list(benchmark_table.rows(result))
        print(benchmark_table.table(result))
        if self.output is not None:
            write_json(self.output, result)
        if self.picture is not None:
            benchmark_table.draw(result, self.picture)
        return result

    def _check(self):
        given = [name for name in ("size", "run", "model") if getattr(self, name) is not None]
        if len(given) > 1:
            raise InputError(f"give one of `size`, `run` and `model`. Received: {', '.join(given)}")
        self._check_choose()
        if "size" not in given and given and self.sequence_length is not None:
            raise InputError(f"`sequence_length` goes with `size`. Received: {given[0]}")
        if self.dtype not in DTYPES:
            raise InputError(
                f"`dtype` must be one of {', '.join(DTYPES)}. Received: dtype={self.dtype!r}"
            )
        if self.runtime is not None and self.runtime not in RUNTIMES:
            raise InputError(
                f"`runtime` must be one of {', '.join(RUNTIMES)}. Received: "
                f"runtime={self.runtime!r}"
            )
        if self.xla and self.runtime not in (None, *NATIVE):
            raise InputError(
                f"`xla` goes with the runtime tensorflow. Received: runtime={self.runtime!r}"
            )
        for name in ("batch_size", "runs", "texts", "sequence_length"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be at least 1. Received: {name}={value}")
        if self.sequence_length is not None and self.sequence_length > _LONGEST:
            raise InputError(
                f"`sequence_length` must be at most {_LONGEST}. "
                f"Received: sequence_length={self.sequence_length}"
            )
        check_batch_overhead(self.batch_overhead)
        if self.lengths is not None and self.task is not None:
            raise InputError("give `lengths` or `task`, not both")
        if (self.task is None) != (self.vocabulary is None):
            raise InputError("give `task` and `vocabulary` together")

    def _check_choose(self):
        usual = type(self)()
        names = [field.name for field in dataclasses.fields(self)]
        given = [name for name in names if getattr(self, name) != getattr(usual, name)]
        if not self.choose:
            if "most_drop" in given:
                raise InputError(
                    "`most_drop` goes with `choose`. "
                    f"Received: most_drop={self.most_drop}, choose=False"
                )
            return
        if self.run is None:
            raise InputError("`choose` goes with `run`. Received: run=None")
        ignored = [name for name in given if name not in ("choose", *_WITH_CHOOSE)]
        if ignored:
            raise InputError(
                "`choose` goes with `run`, `batch_size`, `runs`, `most_drop` and `output` alone. "
                f"Received: {', '.join(ignored)}"
            )
        if not self.most_drop >= 0:
            raise InputError(
                f"`most_drop` must be at least 0. Received: most_drop={self.most_drop}"
            )

    def _models(self):
        """A name, BERT, and PoWER-BERT."""
        retention = self.retention and RetentionConfiguration.parse(self.retention)
        if self.run is not None:
            # Without TensorFlow a run cannot be read, but a size can.
            from power_bert_tf.commands.run_options import open_step

            run, bert = open_step(self.run, "fine-tune")
            retention = retention or run.retention()
            name = str(self.run)
        elif self.model is not None:
            from power_bert_tf.runs.folder import load_classifier

            bert = load_classifier(self.model)
            retention = retention or getattr(bert.reduction, "retention", None)
            name = str(self.model)
        else:
            name = self.size or "bert-base"
            keras.utils.set_random_seed(0)
            config = EncoderConfig.of_size(name)
            length = self.sequence_length or 128
            self._check_retention(retention)
            retention.check(config.num_layers, length)
            bert = BertClassifier(config, 2, length)
        self._check_retention(retention)
        if not isinstance(bert.reduction, NoReduction):
            bert = bert.with_reduction(NoReduction())
        return name, bert, bert.with_reduction(Extraction(retention))

    @staticmethod
    def _check_retention(retention):
        if retention is None:
            raise InputError("`retention` must be given for this model. Received: None")

    def _sizes(self, sequence_length):
        lengths = self._real_lengths()
        count = self.batch_size if self.texts is None else self.texts
        if lengths is None:
            return np.full(count, sequence_length)
        # At even ranks, so that few texts have the distribution of many.
        ranks = np.linspace(0, len(lengths) - 1, count).astype(int)
        drawn = np.minimum(np.sort(lengths)[ranks], sequence_length)
        return np.random.default_rng(0).permutation(drawn)

    def _real_lengths(self):
        if self.lengths is not None:
            return _read_lengths(self.lengths)
        if self.run is None and self.task is None:
            return None
        from power_bert_tf import data
        from power_bert_tf.commands import run_options
        from power_bert_tf.runs.folder import RunFolder

        if self.task is not None:
            task = data.get_task(self.task)
            examples = data.load_from_tfds(task, "dev", self.tfds_dir)
            tokenizer = data.tokenizer_from_file(self.vocabulary)
            preprocessor = data.Preprocessor(tokenizer, _LONGEST)
        else:
            run = RunFolder.open(self.run)
            examples, preprocessor = run_options.load_dev_examples(run), run.preprocessor()
        token_ids, _ = preprocessor.encode(examples.texts, examples.text_pairs)
        return np.array([len(ids) for ids in token_ids])

    def _machine(self):
        runtime = self.runtime or default_runtime()
        return {"backend": keras.config.backend(), **measured_on(runtime)}


def _read_lengths(path):
    try:
        lengths = np.array([int(line) for line in path.read_text().split()])
    except (OSError, ValueError) as error:
        raise InputError(
            f"`lengths` must be a file with a whole number in each line. Received: {error}"
        ) from error
    if not len(lengths) or lengths.min() < 1:
        raise InputError(f"`lengths` must be a file with lengths of at least 1. Received: {path}")
    return lengths
