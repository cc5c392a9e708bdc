"""`kiln doctor`: what would go wrong tonight, told today.

Belongs here: looking at registry, rules, storage, clock and disk. Does not belong here: mending them.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.partitions import today
from resources.home import Home
from resources.registry import RegistryError
from resources.rules import RuleError
from resources.standards import SHEET
from resources.storage import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Every finding. Nothing is written but a probe, which is removed again."""
    home = Home(settings)
    looks: list[Callable[[Settings, Home], Iterator[Finding]]] = [
        _registry,
        _rules,
        _standards,
        _events,
        _ledgers,
        _places,
        _clock,
        _disk,
    ]
    return [finding for look in looks for finding in look(settings, home)]


def _registry(settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        registry = home.registry
    except RegistryError as error:
        yield Finding("registry", FAIL, str(error))
        return
    except Exception as error:  # as below
        yield Finding("registry", FAIL, f"{settings.place('registry')}: {type(error).__name__}: {error}")
        return
    at = registry.outlets_at(today())
    told = f"{len(registry.outlets)} outlets, {len(at)} in force today"
    if not registry.outlets:
        told = (
            f"{len(registry.plants)} plants, {len(registry.lines)} lines, no outlets: 只有台账 a home of ledgers alone"
        )
    yield Finding("registry", OK, f"{settings.place('registry')}: {told}")
    yield from (Finding("registry", WARN, str(problem)) for problem in registry.warnings)


def _rules(_settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        drafts = home.rules.drafts(today(), today())
    except RuleError as error:
        yield Finding("rules", FAIL, str(error))
        return
    yield Finding("rules", OK, f"{len(home.rules.packs)} rule packs; {len(drafts)} rows in force are drafts")


def _standards(_settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        choices = home.standards.choices
    except Exception as error:
        # What is wrong with the registry or the rules themselves has been said above.
        if isinstance(error, RegistryError) and any(p.file == SHEET.file for p in error.problems):
            yield Finding("standards", FAIL, str(error))
        return
    if choices:
        packs = sorted({c.pack for c in choices if c.in_force(today())})
        yield Finding("standards", OK, f"chosen today: {', '.join(packs) or 'none'}")


def _events(settings: Settings, home: Home) -> Iterator[Finding]:
    try:
        book = home.events
    except (RegistryError, RuleError):
        return  # said above
    except Exception as error:  # as below
        yield Finding("events", FAIL, f"{settings.place('landing')}/events: {type(error).__name__}: {error}")
        return
    told = f"{len(book.files)} files below events/, {len(book.states)} stretches of states, {len(book.marks)} marks"
    yield Finding("events", OK, f"{settings.place('landing')}: {told}")
    yield from (Finding("events", WARN, f"{f.path}: {f.reason}") for f in book.files if f.reason)
    grave = [f for f in book.findings if f.severity != "info" and f.check_id != REFUSED_FILE]
    if grave:
        first = min(grave, key=lambda f: (f.source_file or "", f.source_cell or ""))
        example = f"{first.source_file}:{first.source_cell} {first.text_zh} / {first.text_en}"
        yield Finding("events", WARN, f"{len(grave)} findings need somebody, e.g. {example}")


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
        f"{settings.place('landing')}: {len(book.files)} files below ledgers/, {len(months)} months{span}",
    )
    yield from (Finding("ledgers", WARN, f"{f.path}: {f.reason}") for f in book.files if f.reason)
    grave = [f for f in book.findings if f.severity != "info" and f.check_id != REFUSED_LEDGER]
    if grave:
        first = min(grave, key=lambda f: (f.severity != "serious", f.source_file or "", f.source_cell or ""))
        example = f"{first.source_file}:{first.source_cell} {first.text_zh} / {first.text_en}"
        yield Finding("ledgers", WARN, f"{len(grave)} findings need somebody, e.g. {example}")


def _places(settings: Settings, home: Home) -> Iterator[Finding]:
    for name in ("landing", "lake", "published"):
        place = settings.place(name)
        try:
            storage = open_storage(place)
            if name == "landing":
                yield _arrived(place, home)
                continue
            _probe(storage)
            yield Finding(name, OK, f"{place} can be written")
        except Exception as error:  # whatever a store answers is what the doctor was sent to find out
            yield Finding(name, FAIL, f"{place}: {type(error).__name__}: {error}")


def _arrived(place: str, home: Home) -> Finding:
    """Captures are expected unless there are ledgers; captures without any outlet can only be quarantined."""
    captures, ledgers = len(home.landing.list("cems")), len(home.landing.list("ledgers"))
    told = f"{place}: {captures} files below cems/" + (f", {ledgers} below ledgers/" if ledgers else "")
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
    yield Finding("clock", level, f"{now.isoformat(timespec='seconds')} UTC, local day of the plants {today()}")


def _disk(settings: Settings, _home: Home) -> Iterator[Finding]:
    path = open_storage(settings.place("lake")).local_path() if "://" not in settings.place("lake") else None
    if path is None:
        return
    free = shutil.disk_usage(_existing(path)).free / 1e9
    yield Finding("disk", OK if free >= LEAST_FREE_GB else WARN, f"{free:.0f} GB free at the lake")
