"""`power-bert benchmark`: how much faster, measured on this machine."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.methods import DEFAULT

DTYPES = ("float32", "bfloat16", "float16", "int8")
_LONGEST = 512
# Random ones say as much in a few batches.
_CALIBRATION_TEXTS = 128
# What --choose takes beside itself.
_WITH_CHOOSE = ("choose", "run", "batch_size", "runs", "most_drop", "max_int8_drop", "output")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Time BERT and a faster model side by side, padded to N and without padding.

    Of a size, with random weights: speed depends on sizes, lengths and the configuration, not on
    what the weights are. Or of a finished run, on its dev examples. BERT is the fastest honest
    one, which too leaves out outputs that are not used; the graph as it is trained has a row of
    its own. All ways are interleaved in one process. A size runs on TensorFlow and, with
    KERAS_BACKEND=jax, on JAX without TensorFlow installed.
    """

    configuration: str | None = simple_parsing.field(positional=True, default=None, nargs="?")
    """What the method has found, such as '80,73,70' or, relative, '80,73,70 of 128'; that of --run
    or --model where left out."""
    size: str | None = None
    """bert-tiny, bert-mini, bert-small, bert-medium, minilm-l6, bert-base or bert-large;
    albert-base, -large, -xlarge or -xxlarge; distilbert-base; roberta-base or -large. bert-base
    where nothing is given."""
    run: pathlib.Path | None = None
    """Folder of a finished run, instead of a size."""
    model: pathlib.Path | None = None
    """A .keras file of a classifier, instead of a size."""
    method: str | None = None
    """Whose configuration it is; that of --run where left out."""
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
    """Measured rounds of all ways; with --choose 30 where left out."""
    runtime: str | None = None
    """What the graphs run on; the backend of Keras where left out."""
    dtype: str = "float32"
    """float32, bfloat16, float16, or int8 on OpenVINO: calibrated on the training examples that
    --run keeps, or on random ids."""
    xla: bool = False
    """Compile with XLA, on TensorFlow; JAX always does."""
    choose: bool = False
    """With --run: the same as `power-bert choose`."""
    most_drop: float = 0.1
    """With --choose: points of the metric that 16 bits may cost on the dev examples."""
    max_int8_drop: float = 0.5
    """With --choose: points that int8 may cost."""
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
            return self._choose()

        from power_bert_tf.analysis.speed_bars import draw_speeds
        from power_bert_tf.measure.benchmark import bars
        from power_bert_tf.measure.benchmark import benchmark
        from power_bert_tf.measure.benchmark import spread_lengths
        from power_bert_tf.measure.benchmark_table import table

        bert, reduced, names = self._models()
        count = self.batch_size if self.texts is None else self.texts
        result = benchmark(
            bert,
            reduced,
            spread_lengths(self._lengths(), count, bert.sequence_length),
            names,
            rounds=self.runs,
            runtime=self.runtime,
            dtype=self.dtype,
            batch_size=self.batch_size,
            batch_overhead=self.batch_overhead,
            jit_compile=self.xla,
            **self._calibration(bert),
        )
        print(table(result))
        if self.output is not None:
            write_json(self.output, result)
        if self.picture is not None:
            draw_speeds(*bars(result), self.picture)
        return result

    def _check(self):
        from power_bert_tf.deploy.batching import check_batch_overhead
        from power_bert_tf.deploy.runtimes import NATIVE
        from power_bert_tf.deploy.runtimes import RUNTIMES

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
        if self.dtype == "int8" and self.runtime not in (None, "openvino"):
            raise InputError(
                f"int8 goes with the runtime openvino. Received: runtime={self.runtime!r}"
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
            for name in {"most_drop", "max_int8_drop"} & set(given):
                raise InputError(
                    f"`{name}` goes with `choose`. "
                    f"Received: {name}={getattr(self, name)}, choose=False"
                )
            return
        if self.run is None:
            raise InputError("`choose` goes with `run`. Received: run=None")
        ignored = [name for name in given if name not in _WITH_CHOOSE]
        if ignored:
            raise InputError(
                "`choose` goes with `run`, `batch_size`, `runs`, `most_drop`, `max_int8_drop` and "
                f"`output` alone. Received: {', '.join(ignored)}"
            )

    def _choose(self):
        from power_bert_tf.runs import choose
        from power_bert_tf.runs.run import open_run

        run = open_run(self.run)
        rounds = 30 if self.runs == type(self).runs else self.runs
        result = run.choose(self.batch_size, rounds, self.most_drop, self.max_int8_drop)
        if self.output is not None:
            write_json(self.output, result)
        print(choose.table(result))
        print(f"Written to {run.path / choose.CHOICE}")
        return result

    def _models(self):
        """BERT, the faster model, and their names for the table."""
        from power_bert_tf.measure.benchmark import bert_of_size
        from power_bert_tf.measure.benchmark import check_configuration
        from power_bert_tf.methods import get_method
        from power_bert_tf.modeling import EncoderConfig
        from power_bert_tf.modeling import NoReduction
        from power_bert_tf.modeling import load_classifier

        method = get_method(self.method or DEFAULT)
        if self.run is not None:
            # Without TensorFlow a run cannot be read, but a size can.
            from power_bert_tf.methods.method import FINE_TUNE
            from power_bert_tf.runs.run import open_run

            run, name = open_run(self.run), str(self.run)
            # What the run has found is its own method's.
            if None in (self.method, self.configuration):
                method = run.method
            bert, reduced = run.model(FINE_TUNE), run.model()
        elif self.model is not None:
            name = str(self.model)
            bert = reduced = load_classifier(self.model)
        else:
            name = self.size or "bert-base"
            reduced = None
            check_configuration(self.configuration)
            layers, length = EncoderConfig.of_size(name).num_layers, self.sequence_length or 128
            method.check_configuration(self.configuration, layers, length)
            bert = bert_of_size(name, length)
        if not isinstance(bert.reduction, NoReduction):
            bert = bert.with_reduction(NoReduction())
        if self.configuration is not None:
            reduced = method.with_configuration(bert, self.configuration)
        check_configuration(reduced if reduced is not None and reduced.reduction.drops else None)
        text = method.configuration(method.Options(), reduced)["text"]
        return bert, reduced, {"model": name, "title": method.title, "configuration": text}

    def _calibration(self, bert):
        """For int8 what is calibrated on, as an argument of `CompiledClassifier`."""
        if self.dtype != "int8":
            return {}
        from power_bert_tf.measure.benchmark import random_texts
        from power_bert_tf.measure.benchmark import spread_lengths

        if self.run is not None:
            from power_bert_tf.runs.run import open_run

            folder = open_run(self.run).folder
            texts = folder.calibration()
            return {"calibration": folder.preprocessor().encode(texts.texts, texts.text_pairs)}
        lengths = spread_lengths(self._lengths(), _CALIBRATION_TEXTS, bert.sequence_length)
        return {"calibration": (random_texts(bert, lengths, seed=1), None)}

    def _lengths(self):
        """The lengths of real texts, or None."""
        from power_bert_tf.measure.benchmark import read_lengths

        if self.lengths is not None:
            return read_lengths(self.lengths)
        if self.run is None and self.task is None:
            return None
        from power_bert_tf.runs.lengths import lengths_of_run
        from power_bert_tf.runs.lengths import lengths_of_task

        if self.task is not None:
            return lengths_of_task(self.task, self.vocabulary, self.tfds_dir, _LONGEST)
        return lengths_of_run(self.run)
