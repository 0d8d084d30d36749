"""The one exception that means: the user's input is wrong, and this sentence says how to mend it."""


class InputError(Exception):
    """Bad input, told in one sentence: the file, the row or record, what is wrong, what to do.

    Scripts in ``bin/`` print the sentence on stderr and exit with code 2.
    """
