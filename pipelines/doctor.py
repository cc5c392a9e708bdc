"""`kiln doctor`: what would go wrong tonight, told today.

Belongs here: looking at registry, rules, books of carbon, storage, clock and disk. Does not belong here: mending them.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.doctor_books import books
from pipelines.partitions import today
from resources.home import Home
from resources.registry import RegistryError
from resources.rules import RuleError
from resources.standards import SHEET
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from resources.events import EventFile
    from resources.events import Finding as Found
    from resources.settings import Settings
    from resources.storage import Storage

OK, WARN, FAIL = 0, 1, 2
LEAST_FREE_GB = 5
#: Said of the file itself.
REFUSED_FILE, REFUSED_LEDGER = "E01_file_refused", "L01_file_refused"
_PROBE = "doctor-probe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `level` is 0 fine, 1 worth a look, 2 must be mended."""

    what: str
    level: int
    text: str
    #: An input is refused (a run would end with 3), which is no matter of usage or configuration.
    refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Every finding. Nothing is written but a probe, which is removed again."""
    if lost := _no_home(settings):
        return [lost]
    home = Home(settings)
    looks: list[Callable[[Settings, Home], Iterator[Finding]]] = [
        _registry,
        _rules,
        _standards,
        _carbon,
        _events,
        _ledgers,
        _places,
        _clock,
        _disk,
    ]
    return [finding for look in looks for finding in look(settings, home)]


def _no_home(settings: Settings) -> Finding | None:
    """A home that is not there, unless its registry lies elsewhere: everything else would follow from that alone."""
    place = settings.home
    if settings.registry or "://" in place or Path(place).exists():
        return None
    at = Path(place).absolute()
    return Finding(
        "home", FAIL, f"主目录不存在：{at}；路径是否写错？ / the home does not exist: {at}; is the path right?"
    )


def _registry(settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        registry = home.registry
    except RegistryError as error:
        yield Finding("registry", FAIL, str(error), refused=True)
        return
    except Exception as error:  # as below
        yield Finding("registry", FAIL, f"{settings.place('registry')}: {type(error).__name__}: {error}")
        return
    at = registry.outlets_at(today())
    told = f"{len(registry.outlets)} 个排放口，今日有效 {len(at)} 个 / {len(registry.outlets)} outlets, {len(at)} in force today"
    if not registry.outlets:
        n, m = len(registry.plants), len(registry.lines)
        told = f"{n} 家企业，{m} 条生产线，没有排放口：只有台账 / {n} plants, {m} lines, no outlets: a home of ledgers alone"
    yield Finding("registry", OK, f"{settings.place('registry')}: {told}")
    yield from (Finding("registry", WARN, str(problem)) for problem in registry.warnings)


def _rules(_settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        drafts = home.rules.drafts(today(), today())
    except RuleError as error:
        yield Finding("rules", FAIL, str(error), refused=True)
        return
    n, m = len(home.rules.packs), len(drafts)
    yield Finding("rules", OK, f"{n} 个规则包，现行条目中 {m} 条为草案 / {n} rule packs; {m} rows in force are drafts")


def _standards(_settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        choices = home.standards.choices
    except Exception as error:
        # What is wrong with the registry or the rules themselves has been said above.
        if isinstance(error, RegistryError) and any(p.file == SHEET.file for p in error.problems):
            yield Finding("standards", FAIL, str(error), refused=True)
        return
    if choices:
        packs = sorted({c.pack for c in choices if c.in_force(today())})
        yield Finding("standards", OK, f"今日所选 chosen today: {', '.join(packs) or '无 none'}")


def _carbon(_settings: Settings, home: Home) -> Iterator[Finding]:
    """Methods, factors, what the home adds on the trading system, filed years: a refused file with all its mistakes."""
    for what, told, sound in books(home, today().year):
        yield Finding(what, OK if sound else FAIL, told, refused=not sound)


def _events(settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        book = home.events
    except (RegistryError, RuleError):
        return  # said above
    except Exception as error:  # as below
        yield Finding("events", FAIL, f"{settings.place('landing')}/events: {type(error).__name__}: {error}")
        return
    n, m, k = len(book.files), len(book.states), len(book.marks)
    told = (
        f"events/ 下 {n} 个文件，{m} 段工况，{k} 个标记 / {n} files below events/, {m} stretches of states, {k} marks"
    )
    yield Finding("events", OK, f"{settings.place('landing')}: {told}")
    grave = [f for f in book.findings if f.severity != "info" and f.check_id != REFUSED_FILE]
    yield from _look_at("events", book.files, grave, lambda f: (f.source_file or "", f.source_cell or ""))


def _ledgers(settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        book = home.ledgers
    except (RegistryError, RuleError):
        return  # said above
    except Exception as error:  # as below
        yield Finding("ledgers", FAIL, f"{settings.place('landing')}/ledgers: {type(error).__name__}: {error}")
        return
    if not book.files:
        return
    months = book.months()
    span = f", {months[0]} - {months[-1]}" if months else ""
    yield Finding(
        "ledgers",
        OK,
        f"{settings.place('landing')}: ledgers/ 下 {len(book.files)} 个文件 files, {len(months)} 个月 months{span}",
    )
    grave = [f for f in book.findings if f.severity != "info" and f.check_id != REFUSED_LEDGER]
    yield from _look_at(
        "ledgers", book.files, grave, lambda f: (f.severity != "serious", f.source_file or "", f.source_cell or "")
    )


def _look_at(
    what: str, files: Iterable[EventFile], grave: Sequence[Found], order: Callable[[Found], Any]
) -> Iterator[Finding]:
    """Refused files one by one, and of the graver findings how many and the first by `order`."""
    yield from (Finding(what, WARN, f"{f.path}: {f.reason}") for f in files if f.reason)
    if grave:
        first = min(grave, key=order)
        example = f"{first.source_file}:{first.source_cell} {first.text_zh} / {first.text_en}"
        yield Finding(what, WARN, f"{len(grave)} 处须核对，例如 findings need somebody, e.g. {example}")


def _places(settings: Settings, home: Home) -> Iterator[Finding]:
    for name in ("landing", "lake", "published"):
        place = settings.place(name)
        try:
            storage = open_storage(place)
            if name == "landing":
                yield _arrived(place, home)
                continue
            _probe(storage)
            yield Finding(name, OK, f"{place} 可写 can be written")
        except Exception as error:  # whatever a store answers is what the doctor was sent to find out
            yield Finding(name, FAIL, f"{place}: {type(error).__name__}: {error}")


def _arrived(place: str, home: Home) -> Finding:
    """Captures are expected unless there are ledgers; captures without any outlet can only be quarantined."""
    captures, ledgers = len(home.landing.list("cems")), len(home.landing.list("ledgers"))
    told = f"{place}: cems/ 下 {captures} 个文件 files" + (f"，ledgers/ 下 {ledgers} 个 files" if ledgers else "")
    try:
        outlets = bool(home.registry.outlets)
    except RegistryError:
        outlets = True  # said above
    if captures and not outlets:
        return Finding(
            "landing",
            WARN,
            f"{told}; 登记中没有排放口, 报文只能隔离 the registry has no outlets: captures are quarantined",
        )
    return Finding("landing", OK if captures or ledgers else WARN, told)


def _probe(storage: Storage) -> None:
    """Nothing if it can be written; OSError or StorageError else. A folder that does not exist yet is not made."""
    folder = storage.local_path()
    if folder is None or folder.is_dir():
        storage.write(_PROBE, b"probe")
        storage.delete(_PROBE)
        return
    above = _existing(folder)
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"无法在 {above} 下建目录 no folder can be made in {above}")


def _existing(path: Path) -> Path:
    """The nearest folder above that exists, or the path itself."""
    while not path.exists():
        path = path.parent
    return path


def _clock(_settings: Settings, _home: Home) -> Iterator[Finding]:
    now = datetime.now(UTC)
    level = OK if now.year >= 2026 else FAIL
    yield Finding(
        "clock", level, f"{now.isoformat(timespec='seconds')} UTC，企业当地日期 local day of the plants {today()}"
    )


def _disk(settings: Settings, _home: Home) -> Iterator[Finding]:
    path = open_storage(settings.place("lake")).local_path() if "://" not in settings.place("lake") else None
    if path is None:
        return
    free = shutil.disk_usage(_existing(path)).free / 1e9
    yield Finding(
        "disk",
        OK if free >= LEAST_FREE_GB else WARN,
        f"lake 所在磁盘可用 {free:.0f} GB / {free:.0f} GB free at the lake",
    )
