"""Functions compiled to machine code by numba, all with the same options."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile at the first call: free of the interpreter's lock, cached on disk.

    Arithmetic is strict, which costs nothing where inner loops run over independent lanes: what comes out
    for a lane does not hang on how many go together, nor on the processor.
    """
    make = njit(nogil=True, error_model="numpy", cache=True)
    return cast(Callable[P, T], make(function))
