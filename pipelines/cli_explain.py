"""What `kiln explain …` prints: one figure down to factors, clauses and ledger cells.

Belongs here: words and JSON of an explanation. Does not belong here: gathering it (`assets/explain_carbon`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from assets.explain_carbon import Edition, NothingToExplain, explain_line_year
from pipelines.cli_release import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.home import Home

Said = tuple[dict[str, Any], str]
_SUMS = ("fossil", "process", "energy", "total")
#: A figure that was done again from its row may differ by this much: the row holds doubles.
_SAME_T = 1e-6


def explaining(
    home: Home, line: str, year: str, method: str, aggregation: str, release: str, *, lake: bool, plant: str = ""
) -> Said:
    """A line's year in the latest release, a named one or the lake; UsageError where there is no such figure."""
    edition = Edition(home, "" if lake else named(home.published, release or "latest"))
    try:
        found = explain_line_year(edition, line, year, method, aggregation, plant)
    except NothingToExplain as error:
        raise click.UsageError(str(error)) from None
    return found, "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    figure, method = found["figure"], found["method"]
    yield f"{found['plant_id']} {found['line_id']} {found['year']} {figure['method_id']} {figure['aggregation']}  [{found['edition']}]"
    yield f"{method['zh']} {method['number']} / {method['en']} ({method['confidence']}); 修约 rounding {method['rounding']}; 版本 version {figure['method_version']}"
    if method["version"] != figure["method_version"]:
        yield f"  方法文件已变, 现为 the method's file has changed since, now {method['version']}: 条款与公式按现行文件 clauses and formulas are today's"
    for name in _SUMS:
        if figure[f"{name}_tco2"] is not None:
            yield f"  {name}: {_amount(figure[f'{name}_tco2'])} tCO2"
    yield f"  状态 status {figure['status']}; 因子集 factor set {figure['factor_set']}" + _stands_against(figure)
    for source in found["year_sources"]:
        if source.get("formula"):
            yield f"  {source['part']} {source['source']}: {source['formula']} = {source['emission_unrounded_tco2']:,.6f}"
    yield _how(figure["aggregation"])
    for month in found["months"]:
        sums = ", ".join(f"{n} {_amount(month['sums'][n])}" for n in _SUMS if n in month["sums"])
        yield f"{month['month']}: {sums}"
        for source in month["sources"]:
            yield from _source(source)
    yield "因子 factors:"
    for factor in found["factors"]:
        yield from _factor(factor)


def _stands_against(figure: dict[str, Any]) -> str:
    told = [
        f"{zh} {en}: {figure[n]}"
        for n, zh, en in (("missing", "缺", "missing"), ("drafts", "未核实", "drafts"))
        if figure[n]
    ]
    return "; " + "; ".join(told) if told else ""


def _how(aggregation: str) -> str:
    if aggregation == "monthly_sum":
        return "各月已修约的排放量相加 / rounded emissions of the months are added:"
    return "全年数量乘以加权平均参数, 修约后相加（如上）；各月如下 / the year's amounts times weighted means, rounded, then added, as above; the months:"


def _source(source: dict[str, Any]) -> Iterator[str]:
    emission = source.get("emission_tco2")
    head = f"  {source['part']} {source['source']}: "
    if emission is None:
        yield head + f"无数值 no number, 缺 lacks {source.get('missing', source.get('reason', ''))}"
    elif source["formula"]:
        exact = source["emission_unrounded_tco2"]
        same = abs(source["recomputed_tco2"] - exact) <= _SAME_T
        wrong = "" if same else f"  复算不符 done again it is {source['recomputed_tco2']}"
        yield head + f"{source['formula']} = {exact:,.6f} -> {_amount(emission)} tCO2{wrong}"
    else:
        yield head + f"{_amount(emission)} tCO2"
    about = [f"依据 clause {source['clause']}"] if source["clause"] else []
    about += [f"热值 NCV {source['ncv_source']}"] if source.get("ncv_source") else []
    about += [f"因子 factors {', '.join(source['factor_ids'])}"] if source["factor_ids"] else []
    yield "    " + "; ".join(about)
    for place, cells in _by_place(source["cells"]).items():
        yield f"    {place}: {cells}"


def _by_place(cells: list[dict[str, Any]]) -> dict[str, str]:
    """File and sheet, with what each cell says."""
    found: dict[str, list[str]] = {}
    for c in cells:
        sheet = f" [{c['sheet']}]" if c["sheet"] else ""
        row = "" if c["cell"] else f" 行 row {c['row']}"
        again = f" (第 {c['versions']} 次提交 submission {c['versions']})" if c["versions"] > 1 else ""
        found.setdefault(f"{c['file']}{sheet}{row}{again}", []).append(
            f"{c['cell']} {c['column']} = {c['value']}".strip()
        )
    return {place: "; ".join(said) for place, said in found.items()}


def _factor(factor: dict[str, Any]) -> Iterator[str]:
    months = factor["months"]
    when = months[0] if len(months) == 1 else f"{months[0]} … {months[-1]} ({len(months)})"
    if factor.get("gone"):
        yield f"  {factor['factor_id']}: 因子库已无此行 the book has no such row any more; {when}"
        return
    until = f" – {factor['valid_to']}" if factor["valid_to"] else " –"
    yield (
        f"  {factor['factor_id']} = {factor['value']} {factor['unit']} ({factor['confidence']}); "
        f"有效 valid {factor['valid_from']}{until}; 用于 used {when}"
    )
    clause = f", {factor['clause']}" if factor["clause"] else ""
    yield f"    {factor['source']}{clause} ({factor['file']}, 登记 recorded {factor['recorded_at']})"


def _amount(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
