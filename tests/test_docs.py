"""The pages people read: their examples run, and what they name exists."""

from __future__ import annotations

import contextlib
import io
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assets.checks import CHECKS
from assets.products import PRODUCTS, bring_up
from assets.release import publish_release
from contracts.cems import QUARANTINE_REASONS
from resources.home import Home
from resources.registry import Registry
from resources.registry_schema import SHEETS
from resources.settings import Settings
from tests.homes import minute

ROOT = Path(__file__).parents[1]
REGISTRY_PAGES = ("docs/registry.md", "docs/registry.zh-CN.md")
LINKED = ("ledgers", "carbon", "backfills", "ets", "events", "exports", "rules")
PAGES = (
    "README.md", "README.zh-CN.md", "docs/architecture.md", "docs/hj212-reader.md", *REGISTRY_PAGES,
    *(f"docs/{name}{tongue}.md" for name in LINKED for tongue in ("", ".zh-CN")),
)  # fmt: skip


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def files(page: str) -> dict[str, str]:
    """The CSV files of a page by name."""
    return dict(re.findall(r"<!-- file: (\S+) -->\n```csv\n(.*?)```", text(page), re.DOTALL))


def python(page: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", text(page), re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the home that the registry page makes: its registry, three hours of a capture, and a stranger's frame."""
    root = tmp_path_factory.mktemp("docs")
    registry, landing = root / "my-plant/registry", root / "my-plant/landing/cems"
    registry.mkdir(parents=True)
    landing.mkdir(parents=True)
    for name, content in files(REGISTRY_PAGES[0]).items():
        (registry / name).write_text(content, encoding="utf-8")
    mn = files(REGISTRY_PAGES[0])["devices.csv"].splitlines()[1].split(",")[0]
    frames = [minute("20261120000000", "a21002-Avg=38.0", mn="STRANGER")]
    for n in range(180):
        at = f"{datetime(2026, 11, 20) + timedelta(minutes=n):%Y%m%d%H%M%S}"
        pairs = "a34013-Avg=4.0,a34013-Flag=N;a21002-Avg=38.0,a21002-Flag=N;a19001-Avg=9.80,a19001-Flag=N"
        frames.append(minute(at, pairs, mn=mn, qn=f"{at}000"))
    (landing / "2026-11-20.txt").write_bytes(b"".join(frames))
    home = Home(Settings(home=str(root / "my-plant")))
    home.intake.take_in(str)
    for of in PRODUCTS:
        for key in sorted(of.keys(home)):
            bring_up(home, of, key)
    publish_release(home, [])
    return root


@pytest.mark.parametrize("page", REGISTRY_PAGES)
def test_the_example_registry_loads_without_a_word(page: str) -> None:
    registry = Registry.from_tables(files(page))
    assert registry.warnings == ()
    assert len(registry.devices) == 1
    assert files(page) == files(REGISTRY_PAGES[0])
    assert set(files(page)) == {s.file for s in SHEETS}


@pytest.mark.parametrize("page", REGISTRY_PAGES)
def test_every_column_and_listed_value_of_every_file_is_explained(page: str) -> None:
    for sheet in SHEETS:
        part = text(page).split(f"## {sheet.file}", 1)[1].split("\n## ", 1)[0]
        rows = [line for line in part.splitlines() if line.startswith("| `")]
        told = {name for line in rows for name in re.findall(r"`(\w+)`", line.split("|")[1])}
        assert told == {c.name for c in sheet.cells}
        for cell in sheet.cells:
            assert all(value in part for value in cell.values), (sheet.file, cell.name)


@pytest.mark.parametrize("page", ["docs/hj212-reader.md", *REGISTRY_PAGES])
def test_the_snippets_run_in_the_home_of_the_example(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(python(page), page, "exec"), {})  # noqa: S102 - the page's own example
    told = "unknown_mn" if page.endswith("reader.md") else "INSUFFICIENT"
    assert told in said.getvalue()


def test_every_reason_of_quarantine_is_explained_and_no_other() -> None:
    told = re.findall(r"^\| `(\w+)` \| [帧值] \|", text("docs/hj212-reader.md"), re.MULTILINE)
    assert told == list(QUARANTINE_REASONS)


def test_the_architecture_page_names_what_exists() -> None:
    page = text("docs/architecture.md")
    for name in re.findall(r"`((?:tests|contracts|assets|resources|kernels|reference|pipelines)/[\w/.]+)`", page):
        assert (ROOT / name).exists(), name
    for pattern in re.findall(r"`(test_[\w*]+\.py)`", page):
        assert list((ROOT / "tests").glob(pattern)), pattern
    assert set(re.findall(r"check `(\w+)`", page)) == {c.id for c in CHECKS}
    assert len(page.splitlines()) <= 140


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", text(page))
    assert links
    for link in links:
        assert ((ROOT / page).parent / link).exists(), link
