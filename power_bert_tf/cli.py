"""The command line: parse, call, print."""

import contextlib
import importlib
import importlib.metadata
import json
import os
import pathlib
import sys
import tempfile

import simple_parsing

from power_bert_tf.commands import load_commands
from power_bert_tf.errors import InputError
from power_bert_tf.methods import DEFAULT
from power_bert_tf.runs.layout import BEST
from power_bert_tf.runs.layout import SETTINGS


def main(arguments=None):
    """Runs `power-bert`; returns the exit code.

    Args:
        arguments: list of str; those of the process where None.

    Returns:
        0, or 2 for input that cannot be used, after one line that says why.
    """
    arguments = sys.argv[1:] if arguments is None else [str(each) for each in arguments]
    try:
        command = _parser(arguments).parse_args(arguments).command
        with _quiet_import():
            _import_backend()
        command.execute()
    except InputError as error:
        print(f"power-bert: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("power-bert: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser(arguments):
    """The parser of all commands; only the one that is asked for has its options.

    Reading the options' help from their source takes most of the time of a `--help`.
    """
    parser = simple_parsing.ArgumentParser(
        prog="power-bert",
        description="BERT classifiers that drop the word-vectors they no longer need.",
        add_option_string_dash_variants=simple_parsing.DashVariant.DASH,
    )
    version = f"power-bert {importlib.metadata.version('power-bert-tf')}"
    parser.add_argument("--version", action="version", version=version)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in load_commands(_method_of(arguments)).items():
        description = command.__doc__
        subparser = subparsers.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            add_option_string_dash_variants=simple_parsing.DashVariant.DASH,
        )
        if name in arguments:
            subparser.add_arguments(command, dest="command")
    return parser


def _method_of(arguments):
    """The method that is asked for, or that made the run of a trade-off.

    Its options are among those of the command.
    """
    for index, argument in enumerate(arguments):
        if argument.startswith("--method="):
            return argument.removeprefix("--method=")
        if argument == "--method" and index + 1 < len(arguments):
            return arguments[index + 1]
    if arguments[:1] == ["trade-off"]:
        return next(filter(None, map(_method_of_run, arguments[1:])), DEFAULT)
    return DEFAULT


def _method_of_run(folder):
    """The method that made a run, or the run that a tuning handed back; None where it is none."""
    for name in (SETTINGS, f"{BEST}/{SETTINGS}"):
        path = pathlib.Path(folder, name)
        try:
            return json.loads(path.read_text(encoding="utf-8"))["identity"]["method"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _import_backend():
    """Imports what takes long, with TensorFlow's text where Keras runs on TensorFlow."""
    import keras

    if keras.config.backend() == "tensorflow":
        importlib.import_module("tensorflow_text")


@contextlib.contextmanager
def _quiet_import():
    """Holds back what TensorFlow's libraries log while they are loaded; shows it on failure.

    They write to the file descriptor before any log level can reach them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
