"""What the commands share: the home, machine-readable output, days, exit codes, and how a mistake is told.

Belongs here: options and endings of more than one command. Does not belong here: commands (`commands_*`) and doing the work.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any, NoReturn

import click

from resources.registry_cells import day_of
from resources.settings import Settings

HOME = click.option(
    "--home", default=None, help="主目录 home: a folder or s3://bucket/prefix [KILN_HOME, else ./kiln-home]"
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="机器可读 machine-readable output")
DONE, BLOCKED, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
#: Errors that do not speak of the configuration.
CODES = {
    "RegistryError": REFUSED,
    "RuleError": REFUSED,
    "EtsError": REFUSED,
    "EpaError": REFUSED,
    "FactorError": REFUSED,
    "MethodError": REFUSED,
    "ReleaseError": BLOCKED,
    "ReleaseRefused": BLOCKED,
}


class Day(click.ParamType[str]):
    """A local day YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The day as its key."""
        try:
            return str(day_of(str(value)))
        except ValueError:
            self.fail(f"{value!r} 不是日期 is no day; write e.g. 2026-11-21", param, ctx)


def emit(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the one or the other on standard output."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str) if as_json else text)


def stop(code: int, text: str) -> NoReturn:
    """End with a message on standard error."""
    click.echo(text, err=True)
    sys.exit(code)


class Sentences(click.Group):
    """A group that ends with a sentence where a command meets what it cannot use."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """The command, or its complaint on standard error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            stop(INTERRUPTED, "已中断 / interrupted")
        except OSError as error:
            stop(USAGE, f"{type(error).__name__}: {error}")
        except Exception as error:
            # By module and not by class: `kiln --help` need not import what may go wrong in a command.
            if not type(error).__module__.startswith(("resources.", "contracts.", "botocore.")):
                raise
            stop(CODES.get(type(error).__name__, USAGE), str(error))


def day_or_today(text: str | None) -> date:
    """That day, else today."""
    from pipelines.partitions import today

    return date.fromisoformat(text) if text else today()


def settings_of(home: str | None) -> Settings:
    """Settings of the environment, over a home that is named."""
    return Settings.from_env(home=home)


def published_of(home: str | None) -> Any:  # noqa: ANN401 - a Storage, imported where it is used
    """Where releases are; StorageError for a bucket that does not exist."""
    from resources.storage import open_storage

    settings = settings_of(home)
    storage = open_storage(settings.place("published"))
    # A missing bucket has no releases either; asked for this it says what it is.
    storage.list("reach")
    return storage
