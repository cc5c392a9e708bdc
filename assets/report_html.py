"""Markup of the report: text that is escaped unless it is markup already, tables, and the one page around it all.

Belongs here: HTML and CSS. Does not belong here: which figures a report shows (`report`, `report_sections`) and drawings
(`report_svg`).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Html(str):
    """Text that is markup; every other text is escaped on its way into a page."""

    __slots__ = ()


def tag(name: str, *children: object, **attributes: object) -> Html:
    """One element. Attributes: `class_` for class, underscores for hyphens; None leaves one out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{told}>{joined(children)}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Parts one after the other; None is nothing."""
    return Html("".join(p if isinstance(p, Html) else escape(str(p)) for p in parts if p is not None))


def both(zh: str, en: str) -> Html:
    """A text in both languages."""
    return joined((zh, " ", tag("span", en, class_="en")))


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """A figure with its unit; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def table(head: Sequence[object], rows: Sequence[Sequence[object]], *, numeric: Sequence[int] = ()) -> Html:
    """A table; `numeric` names the columns that are set to the right."""

    def row(cells: Sequence[object], name: str) -> Html:
        return tag("tr", *(tag(name, c, class_="n" if i in numeric else None) for i, c in enumerate(cells)))

    return tag("table", tag("thead", row(head, "th")), tag("tbody", *(row(r, "td") for r in rows)))


def section(zh: str, en: str, *children: object) -> Html:
    """A part of the page under a heading."""
    return tag("section", tag("h2", both(zh, en)), *children)


def page(title: str, *body: object) -> str:
    """The whole page: nothing in it is fetched from anywhere."""
    head = joined(
        (
            Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'),
            tag("title", title),
            tag("style", Html(CSS)),
        )
    )
    return f"<!DOCTYPE html>\n{tag('html', tag('head', head), tag('body', tag('main', *body)), lang='zh-CN')}\n"


CSS = """
:root{--ok:#2f9e5b;--fail:#ef9b1d;--over:#c62828;--invalid:#8b97a3;--no_data:#cfd6dc;--still:#a9c4e8;--exempt:#e6dff2;
--ink:#1d2630;--soft:#66727e;--line:#dfe5ea}
*{box-sizing:border-box}
body{margin:0;background:#f3f5f7;color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI","PingFang SC",
"Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 24px 60px}
header h1{font-size:26px;margin:0 0 4px}
header p{margin:0;color:var(--soft)}
h2{font-size:18px;margin:0 0 12px}
h3{font-size:15px;margin:18px 0 6px}
section{background:#fff;border:1px solid var(--line);border-radius:10px;padding:20px 22px;margin-top:18px}
.en,.soft{color:var(--soft);font-weight:400}
.en{font-size:.86em}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin-top:18px}
.tile{background:#fff;border:1px solid var(--line);border-radius:10px;padding:12px 16px;min-width:150px;flex:1}
.tile .en{display:block}
.tile b{display:block;font-size:26px;line-height:1.25;font-variant-numeric:tabular-nums}
.tile.PASS b{color:var(--ok)}.tile.FAIL b{color:var(--over)}.tile.INSUFFICIENT b{color:#b36b00}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--soft);font-size:12px;border-bottom:2px solid var(--line);padding:6px 8px;
vertical-align:bottom}
td svg{margin-top:5px}
td{border-bottom:1px solid var(--line);padding:6px 8px;vertical-align:top}
tbody tr:last-child td{border-bottom:0}
.n{text-align:right;white-space:nowrap}
.whole{white-space:nowrap}
.pill{display:inline-block;border-radius:20px;padding:1px 10px;font-weight:600;font-size:12px;white-space:nowrap;color:#fff;
background:var(--invalid)}
.pill.PASS{background:var(--ok)}.pill.FAIL{background:var(--over)}.pill.INSUFFICIENT{background:#f2c14e;color:#3d2c00}
.pill.serious{background:var(--over)}.pill.warn{background:#f2c14e;color:#3d2c00}
.dots{white-space:nowrap}
.dot{display:inline-block;width:13px;height:13px;border-radius:3px;margin-right:3px;background:var(--invalid)}
.dot.PASS{background:var(--ok)}.dot.FAIL{background:var(--over)}.dot.INSUFFICIENT{background:#f2c14e}
.warning{display:block;color:#8a5a00;font-size:12px;max-width:560px}
.strip{display:grid;grid-template-columns:116px 746px 1fr;align-items:center;gap:10px;margin:3px 0}
.strip .what{text-align:right;white-space:nowrap}
svg{display:block}
.ok{fill:var(--ok)}.fail{fill:var(--fail)}.over{fill:var(--over)}.invalid{fill:var(--invalid)}.no_data{fill:var(--no_data)}
.still{fill:var(--still)}.exempt{fill:var(--exempt)}.ground{fill:#fafbfc;stroke:var(--line)}.tick{stroke:#fff;stroke-opacity:.55}
.axis{fill:var(--soft);font-size:10px}.label{fill:var(--ink);font-size:11px}.grid{stroke:var(--line)}.stand{fill:#5b6b7b}
.lacking{fill:#f3d6d6}.short{color:var(--over)}
.legend{display:flex;flex-wrap:wrap;gap:6px 18px;margin:0 0 8px;padding:0;list-style:none;font-size:12px}
.legend svg{display:inline-block;vertical-align:-2px;margin-right:6px}
footer{margin-top:22px;color:var(--soft);font-size:12px}
footer code{overflow-wrap:anywhere}
@media print{body{background:#fff}main{max-width:none;padding:0}section,.tile{break-inside:avoid-page;border-color:#bbb}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
