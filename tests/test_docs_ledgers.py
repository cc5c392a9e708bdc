"""The pages on ledgers: their examples become what they say, every finding and column is on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.ledgers import LEDGERS, PROVENANCE
from resources.findings import load_findings
from tests.ledger_files import LINES, PLANTS, found, home, opened

PAGES = ("docs/ledgers.md", "docs/ledgers.zh-CN.md")
ROOT = Path(__file__).parents[1]


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _files(page: str) -> dict[str, str | bytes]:
    return dict(re.findall(r"<!-- file: (\S+) -->\n```csv\n(.*?)```", _text(page), re.DOTALL))


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_become_what_the_page_says(page: str, tmp_path: Path) -> None:
    home(tmp_path, _files(page))
    (tmp_path / "registry/plants.csv").write_text(
        f"{PLANTS}\nGZ-A,甲,,,,贵州,,,,89,general,2016-01-01,\n", encoding="utf-8"
    )
    (tmp_path / "registry/lines.csv").write_text(f"{LINES}\nGZ-A-L1,GZ-A,portland,4500,2016-01-01,\n", encoding="utf-8")
    made = opened(tmp_path)
    rows = [r for m in made.ledgers.months() for r in made.ledgers.rows("ledger_fuel", m).to_dicts()]
    assert [(r["month"], r["fuel"], r["ncv_gj"], r["versions"]) for r in rows] == [
        ("2024-01", "anthracite", 23.412, 1), ("2024-01", "bituminous", None, 1), ("2024-02", "anthracite", 23.105, 2),
    ]  # fmt: skip
    after = _text(page).rpartition("csv -->")[2].partition("```python")[0]
    assert {f.check_id for f in found(made)} == set(re.findall(r"`(L\d\w+)`", after))


@pytest.mark.parametrize("page", PAGES)
def test_the_annex_of_the_page_becomes_a_row_a_month(page: str, tmp_path: Path) -> None:
    files = dict(re.findall(r"<!-- annex: (\S+) -->\n```csv\n(.*?)```", _text(page), re.DOTALL))
    home(tmp_path, files)
    (tmp_path / "registry/plants.csv").write_text(f"{PLANTS}\nGZ-A,甲,,,,贵州,,,,89,general,2016-01-01,\n", "utf-8")
    (tmp_path / "registry/lines.csv").write_text(f"{LINES}\nGZ-A-L1,GZ-A,portland,4500,2016-01-01,\n", "utf-8")
    made = opened(tmp_path)
    rows = [r for m in made.ledgers.months() for r in made.ledgers.rows("ledger_fuel", m).to_dicts()]
    assert [(r["plant_id"], r["month"], r["fuel"], r["consumption"], r["unit"], r["ncv_gj"]) for r in rows] == [
        ("GZ-A", "2024-01", "bituminous", 3105.20, "t", 23.412), ("GZ-A", "2024-02", "bituminous", 2988.10, "t", 23.105),
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_finding_and_every_column_is_on_the_page(page: str) -> None:
    told = re.findall(r"^\| `(L\w+)` \| ([\w, ]+) \|", _text(page), re.MULTILINE)
    assert told == [
        (k.id, ", ".join(filter(None, (k.severity, k.severity_worse))))
        for k in load_findings().values()
        if k.id.startswith("L")
    ]
    for table in LEDGERS:
        (line,) = [row for row in _text(page).splitlines() if f"| `{table.name}*.csv` |" in row]
        named = set(re.findall(r"\w+", line.partition(".csv")[2]))
        assert named == {c.name for c in table.columns if c.name not in PROVENANCE}
    assert _files(page) == _files(PAGES[0])
