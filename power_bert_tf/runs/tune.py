"""`power-bert fit --max-drop` and `--speedup`: lambda is found instead of given."""

import dataclasses

import numpy as np

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.measure.comparison import operations
from power_bert_tf.runs.bracket import Bracket
from power_bert_tf.runs.folder import BEST
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import as_settings
from power_bert_tf.runs.limits import MaxDrop
from power_bert_tf.runs.limits import Speedup
from power_bert_tf.runs.trade_off_table import panel
from power_bert_tf.runs.trade_off_table import row
from power_bert_tf.training.steps import reaching_rate

FINE_TUNED, TRIED, RESULT, PICTURE = "fine-tuned", "tried", "tuning.json", "tuning.png"
SPEEDS = {"padded": "padded_over_padded", "unpadded": "unpadded_over_unpadded"}


class Tuning:
    """Tries strengths over one fine-tuned BERT until a limit is met as well as it can be.

    The output folder gets `fine-tuned`, a run for each trial below `tried`, tuning.json with all
    of them, tuning.png, and `best`, the run that is handed back. Nothing that is done is
    repeated: the same command goes on where it was, and another limit in the same folder begins
    with the trials that are there.

    Args:
        fit: `Fit`, with `max_drop` or `speedup`.
    """

    def __init__(self, fit):
        self.command = as_settings(fit)
        self.output = fit.output
        self.trials = fit.trials
        self.speed = SPEEDS[fit.against]
        self.against = fit.against
        self.limit = Speedup(fit.speedup) if fit.max_drop is None else MaxDrop(fit.max_drop)
        bases = ("absolute", "relative") if fit.basis == "both" else (fit.basis,)
        plain = {"max_drop": None, "speedup": None}
        self.fits = [dataclasses.replace(fit, basis=basis, **plain) for basis in bases]
        self._time_is_said = False

    def execute(self):
        """Runs what is not done yet; prints a table.

        Returns:
            The `RunFolder` of the best trial, and the dev examples that it was measured on.

        Raises:
            InputError: where an option cannot be used, or no trial meets the limit.
        """
        self._check_folder()
        for fit in self.fits:
            fit.check()
        data = self.fits[0].load_data()
        self.fits = [self._with_rate(fit, *data) for fit in self.fits]
        self._announce(*data)
        # Of what the trials differ in, the task's own.
        shared = dataclasses.replace(
            self.fits[0],
            output=self.output / FINE_TUNED,
            basis="absolute",
            strength=None,
            retention_learning_rate=None,
        )
        run, dev = shared.train_steps(*data, last="fine-tune")
        if not (shared.skip_fine_tuning or shared.fine_tuned):
            self._announce_time(run, "fine-tune")
        tried = [trial for fit in self.fits for trial in self._try_out(fit, data)]
        best = self.limit.best(tried)
        result = {
            "task": run.settings()["identity"]["task"]["name"],
            "metric": run.settings()["identity"]["task"]["metric"],
            "examples": run.settings()["examples"],
            "limit": {type(self.limit).__name__: dataclasses.astuple(self.limit)[0]},
            "against": self.against,
            "best": None if best is None else best["name"],
            "points": tried,
            "command": self.command,
        }
        write_json(self.output / RESULT, result)
        print(f"\n{table(result)}")
        self._draw(result)
        if best is None:
            raise InputError(
                f"no configuration of the {len(tried)} tried {self.limit.missed(tried)}. All are "
                f"kept in {self.output}: more `trials` go on from there. "
                f"Received: trials={self.trials}"
            )
        return RunFolder.open(self.output / TRIED / best["name"]), dev

    def hand_back(self, run):
        """Has the output folder's `best` be a finished run, whole, as links to its files."""
        run.link_to(self.output / BEST)

    def _check_folder(self):
        if not self.output.is_dir():
            return
        known = {FINE_TUNED, TRIED, RESULT, PICTURE, BEST}
        others = [path.name for path in self.output.iterdir() if not path.name.startswith(".")]
        others = sorted(set(others) - known)
        if others:
            raise InputError(
                "`output` must be new, empty or the folder of a tuning to go on with. "
                f"Received: {self.output}, which holds {', '.join(others[:3])}"
            )

    @staticmethod
    def _with_rate(fit, task, train, dev):
        """The retention learning rate, where none is given, for this number of steps.

        The paper's is for its own: in a shorter search no strength would eliminate much.
        """
        if fit.retention_learning_rate is not None:
            return fit
        rate = reaching_rate(fit.step_epochs(task)["search"] * _steps(fit, task, train))
        rate = max(task.retention_learning_rate, rate)
        return dataclasses.replace(fit, retention_learning_rate=rate)

    def _announce(self, task, train, dev):
        epochs, steps = self.fits[0].step_epochs(task), _steps(self.fits[0], task, train)
        count = self.trials * len(self.fits)
        most = epochs["fine-tune"] + count * (epochs["search"] + epochs["re-train"])
        print(
            f"At most {count} trials over one fine-tuned BERT. Epochs, of {steps} steps: "
            f"{epochs['fine-tune']} of fine-tuning; in each trial {epochs['search']} of search "
            f"and, where that is promising, {epochs['re-train']} of re-training; {most} at most.",
            flush=True,
        )

    def _announce_time(self, run, step):
        epochs = run.settings()["identity"]["epochs"]
        seconds = run.step(step).metrics()["seconds"] / epochs[step]
        count = self.trials * len(self.fits) * (epochs["search"] + epochs["re-train"])
        print(
            f"\nAn epoch of {step} took {seconds:.0f} s. At that rate the trials take at most "
            f"{count * seconds / 60:.0f} minutes in all.",
            flush=True,
        )
        self._time_is_said = True

    def _try_out(self, fit, data):
        """The trials in one basis, a list of dicts."""
        start = data[0].strength if fit.strength is None else fit.strength
        bracket, tried = Bracket(start), []
        while len(tried) < self.trials and (strength := bracket.next()) is not None:
            # As the folder's name says it.
            trial_fit = self._fit(fit, float(f"{strength:.3g}"))
            print(f"\n[trial {len(tried) + 1} of at most {self.trials}: {trial_fit.output.name}]")
            trial = self._searched(trial_fit, data)
            promising, trial["verdict"] = self.limit.promising(trial, tried)
            if promising:
                self._retrain(trial, trial_fit, data)
            print(_line(trial), flush=True)
            bracket.record(strength, self.limit.too_much(trial, tried))
            tried.append(trial)
            if _is_at_its_end(trial, strength, bracket.next()):
                break
        for trial in self.limit.to_retrain(tried):
            self._retrain(trial, self._fit(fit, trial["strength"]), data)
            print(_line(trial), flush=True)
        return tried

    def _fit(self, fit, strength):
        return dataclasses.replace(
            fit,
            output=self.output / TRIED / f"{fit.basis}-{strength:g}",
            fine_tuned=self.output / FINE_TUNED,
            skip_fine_tuning=False,
            strength=strength,
        )

    def _searched(self, fit, data):
        run, dev = fit.train_steps(*data, last="search")
        if not self._time_is_said:
            self._announce_time(run, "search")
        retention, preprocessor = run.retention(), run.preprocessor()
        token_ids, _ = preprocessor.encode(dev.texts, dev.text_pairs)
        sizes = np.array([len(ids) for ids in token_ids])
        config = run.step("search").load_model().config
        cost = operations(config, preprocessor.sequence_length, retention, sizes)
        return {
            "name": fit.output.name,
            "basis": fit.basis,
            "strength": fit.strength,
            "retention": str(retention),
            "operations": cost,
            "speed": cost["speedup"][self.speed],
            "score": {
                "bert": run.step("fine-tune").metrics()["score"],
                "soft": run.step("search").metrics()["score"],
            },
        }

    def _retrain(self, trial, fit, data):
        run, _ = fit.train_steps(*data)
        score = run.step("re-train").metrics()["score"]
        trial["score"]["power_bert"] = score
        trial["score"]["drop_points"] = 100 * (trial["score"]["bert"] - score)
        trial["verdict"] = self.limit.verdict(trial)

    def _draw(self, result):
        title, lines = panel([result])
        if not lines:
            return
        try:
            draw_trade_offs({title: lines}, self.output / PICTURE)
        except InputError as error:
            print(f"No picture: {error}")


def table(result):
    """A line for each trial, as text; the best one has a star."""
    ((limit, value),) = result["limit"].items()
    lines = [
        f"{result['task']}, {result['metric']} on {result['examples']['dev']} dev examples; "
        f"{limit} {value:g}, operations {result['against']}",
        row(None),
    ]
    for trial in result["points"]:
        best = ": the best" if trial["name"] == result["best"] else ""
        lines.append(f"{row(trial)}  ({trial['verdict']}{best})")
    return "\n".join(lines)


def _line(trial):
    return f"{row(None)}\n{row(trial)}  ({trial['verdict']})"


def _steps(fit, task, train):
    examples = min(len(train), fit.train_examples or len(train))
    return max(1, examples // (fit.batch_size or task.batch_size))


def _is_at_its_end(trial, strength, following):
    """Whether more strength is wanted and there is nothing left to eliminate."""
    lengths = trial["retention"].split(" of ")[0].split(",")
    return following is not None and following > strength and set(lengths) == {"1"}
