"""The one exception that means: what you gave cannot be used, and here is why."""


class InputError(ValueError):
    """Input that cannot be used: a folder, a file, a row or an argument.

    The message is one line that names the argument or the place (file and line), what was
    expected and what came. The command line prints it and ends with exit code 2.
    """
