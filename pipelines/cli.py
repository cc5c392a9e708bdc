"""The command line `kiln`: run, plan, simulate, doctor, releases, report, dictionary, demo.

Belongs here: the program and which commands it has. Does not belong here: their options (`commands_*`) and doing the work. Imports of dagster
and numba wait until a command needs them: `kiln --help` answers at once.

Exit codes: 0 done, 1 done with findings that block, 2 usage or configuration, 3 input refused, 130 interrupted. Errors of our own end as
sentences with one of these codes; a traceback is a mistake in the program.
"""

from __future__ import annotations

import click

from pipelines.cli_common import Sentences
from pipelines.commands_books import import_, release, rules
from pipelines.commands_carbon import carbon, explain, factors
from pipelines.commands_home import demo, dictionary, doctor, evaluate, findings, ledger_template, report, simulate
from pipelines.commands_runs import backfill, plan, run


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kilnledger")
def main() -> None:
    """kilnledger: 水泥厂烟气在线监测到可核查的达标数据 / cement stack monitors to verdicts anyone can check."""


for command in (
    run,
    plan,
    backfill,
    doctor,
    simulate,
    demo,
    dictionary,
    report,
    findings,
    evaluate,
    ledger_template,
    carbon,
    explain,
    factors,
    rules,
    release,
    import_,
):
    main.add_command(command)
