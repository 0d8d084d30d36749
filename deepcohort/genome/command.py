"""What every script in ``bin/`` shares: options, logging, the version handshake, exit code 2 on bad input."""

import logging
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Annotated, ParamSpec

import typer

import deepcohort
from deepcohort.genome.errors import InputError

P = ParamSpec("P")


class Device(StrEnum):
    """Where a model runs; ``auto`` takes a GPU when PyTorch sees one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def check_release(release: str) -> str:
    """Refuse to run when the pipeline and the installed package are of different versions."""
    if release != deepcohort.__version__:
        raise typer.BadParameter(
            f"the pipeline is version {release} but the installed package deepcohort is "
            f"{deepcohort.__version__}: use the image (or environment) of version {release}"
        )
    return release


Release = Annotated[
    str, typer.Option("--release", callback=check_release, help="Version of the pipeline that calls.")
]
Threads = Annotated[int, typer.Option(min=1, help="Number of CPU threads.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
DeviceOption = Annotated[Device, typer.Option(help="Where the model runs.")]


def script(help_text: str) -> typer.Typer:
    """Make the Typer app of a script, with logging to stderr; add sub-commands by ``command``."""
    app = typer.Typer(
        help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def start() -> None:
        logging.basicConfig(
            stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True
        )

    return app


def command(app: typer.Typer) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Register a sub-command of ``app`` whose ``InputError`` ends in one sentence and exit code 2."""

    def register(run: Callable[P, None]) -> Callable[P, None]:
        @wraps(run)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                run(*args, **kwargs)
            except InputError as error:
                typer.echo(f"ERROR: {error}", err=True)
                raise typer.Exit(2) from None

        app.command()(guarded)
        return guarded

    return register
