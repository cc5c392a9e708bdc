"""Intake: which files have arrived, which of them are new, and what each held.

Belongs here: looking over landing/, telling new, grown, copied and refused files apart, driving the reader, and the index
of arrivals. Does not belong here: parsing, and merging days.

Identity is content: a file is read once per content. Landing is only ever read. The index is this machine's journal (it
holds first-seen times); published tables take from it only what the inputs alone decide.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, cast

from resources.captures import Capture, CaptureError
from resources.exports import KINDS as EXPORT_KINDS
from resources.exports_desk import ExportDesk
from resources.exports_errors import ExportError
from resources.hj212_reader import READER_VERSION, Devices, Reader
from resources.segments import Record, Segments

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable, Iterator

    from resources.registry import Registry
    from resources.settings import Settings
    from resources.storage import Entry, Storage

INDEX = "intake.json"
INDEX_FORMAT = 4
#: Endings that hold neither text nor tables; read as HJ 212 they would end as noise without a word.
OTHER_FORMATS = (".zip", ".rar", ".7z", ".pdf", ".docx")
FLUSH_EVERY = 200
SAY_EVERY = 1 << 29
#: Files above this size are read one at a time, their blocks in parallel.
LARGE = 64 << 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file as it once lay in landing/. `state` is read, grown (a longer or fuller file replaced it) or refused."""

    token: str
    path: str
    size: int
    seen: str
    sha256: str
    state: str
    reason: str
    first_seen: str
    basis: str
    record: Record | None = None
    kind: str = "hj212"

    @property
    def live(self) -> bool:
        """Its rows count."""
        return self.state == "read"

    @property
    def content(self) -> tuple[str, str]:
        """What counts once: equal bytes; of exports without a device column also whom they were read for."""
        return self.sha256, self.record.reading if self.record else ""

    def covers(self, other: Arrival) -> bool:
        """Every outlet and day of an export that lay here before is in this one too, with as many rows."""
        if self.record is None or other.record is None or self.kind != other.kind:
            return False
        mine = self.record.rows
        return all(
            n <= mine.get(day, {}).get(outlet, 0)
            for day, held in other.record.rows.items()
            for outlet, n in held.items()
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at landing/ brought."""

    read: int
    bytes: int
    known: int
    refused: tuple[tuple[str, str], ...]
    days: tuple[str, ...]


def token_of(entry: Entry) -> str:
    """Name of one state of one file: changes when its path, size or modification mark does."""
    return hashlib.sha256(f"{entry.key}\n{entry.size}\n{entry.token}".encode(errors="surrogateescape")).hexdigest()[:24]


def _plain_name(key: str) -> str:
    """A file name as text; bytes that are no UTF-8 are spelled out."""
    return key.encode("utf-8", "backslashreplace").decode()


class Intake:
    """Arrivals of one home and the segments read from them."""

    def __init__(
        self, landing: Storage, lake: Storage, registry: Registry, codes: dict[str, str], settings: Settings
    ) -> None:
        self._landing = landing
        self._lake = lake
        self._settings = settings
        self._window = (settings.window_from, settings.window_to)
        self._devices = Devices(registry.devices)
        self._reading = [READER_VERSION, *map(str, self._window), json.dumps(codes, sort_keys=True)]
        self._bases: dict[tuple[str, ...], str] = {}
        self._reader = Reader(self._devices, codes, self._window, settings.threads)
        self._by_mn: dict[str, str] = {}
        for d in sorted(registry.devices, key=lambda d: (d.mn, d.valid_from)):
            about = f"{d.outlet_id}|{d.valid_from}|{d.valid_to}|{sorted(d.crc_variants)}\n"
            self._by_mn[d.mn] = self._by_mn.get(d.mn, "") + about
        self.segments = Segments(lake)
        self._desk = ExportDesk(landing, self._devices, self._window, self._reading)
        self._arrivals: dict[str, Arrival] = {}
        held = json.loads(lake.read(INDEX)) if lake.exists(INDEX) else {}
        # An index of another format is as good as none: what lies in landing is read again.
        for raw in held["arrivals"] if isinstance(held, dict) and held.get("format") == INDEX_FORMAT else ():
            record = raw.pop("record")
            self._arrivals[raw["token"]] = Arrival(**raw, record=Record.of(record) if record else None)

    def basis(self, mns: Iterable[str]) -> str:
        """Hash of all that decides how a capture with these device numbers is read."""
        asked = tuple(sorted(set(mns)))
        if asked not in self._bases:
            # Asked of every arrival at every look, and the arrivals of one plant name the same few devices.
            facts = [*self._reading, *(f"{mn}={self._by_mn.get(mn, '')}" for mn in asked)]
            self._bases[asked] = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
        return self._bases[asked]

    def _listed(self) -> list[Entry]:
        """Data files of landing/cems; map files among them are looked at anew."""
        entries = self._landing.list("cems")
        return self._desk.without_maps(entries)

    def pending(self) -> list[Entry]:
        """Files of landing/cems that must be read: new, changed, or read with another registry."""
        return [e for e in self._listed() if not self._known(e)]

    def _known(self, entry: Entry) -> bool:
        arrival = self._arrivals.get(token_of(entry))
        return arrival is not None and self._stands(arrival)

    def take_in(self, say: Callable[[str], None]) -> Taken:
        """Read what is pending. A file that cannot be read costs only itself; the index is kept as it goes."""
        entries = self._listed()
        pending = [e for e in entries if not self._known(e)]
        total = sum(e.size for e in pending)
        done = 0
        refused: list[tuple[str, str]] = []
        days: set[str] = set()
        for n, (entry, (arrival, outgrown)) in enumerate(self._read_all(pending, say), 1):
            days |= self._settle(arrival, outgrown)
            done += entry.size
            if arrival.state == "refused":
                refused.append((arrival.path, arrival.reason))
            if n % FLUSH_EVERY == 0 or n == len(pending):
                self._save()
                say(f"read {n} of {len(pending)} files, {done / 1e6:.1f} of {total / 1e6:.1f} MB")
        return Taken(len(pending), total, len(entries) - len(pending), tuple(refused), tuple(sorted(days)))

    def _read_all(
        self, entries: list[Entry], say: Callable[[str], None]
    ) -> Iterator[tuple[Entry, tuple[Arrival, list[Arrival]]]]:
        """Small files go side by side, large ones one by one with their blocks side by side."""
        before = {a.token: a for a in self._arrivals.values()}
        large = [e for e in entries if e.size > LARGE]
        small = [e for e in entries if e.size <= LARGE]
        with ThreadPoolExecutor(self._settings.threads) as pool:
            for at in range(0, len(small), FLUSH_EVERY):
                some = small[at : at + FLUSH_EVERY]
                yield from zip(some, pool.map(lambda e: self._read(e, before, say, ahead=False), some), strict=True)
        yield from ((e, self._read(e, before, say, ahead=True)) for e in large)

    def _read(
        self, entry: Entry, known: dict[str, Arrival], say: Callable[[str], None], *, ahead: bool
    ) -> tuple[Arrival, list[Arrival]]:
        """One file read; and the arrivals that it has outgrown: it begins with their bytes, or is an export that covers theirs."""
        token = token_of(entry)
        seen = known[token].first_seen if token in known else datetime.now(UTC).isoformat(timespec="seconds")
        made = Arrival(token, _plain_name(entry.key), entry.size, entry.token, "", "refused", "", seen, "")
        if made.path != entry.key:
            reason = "its name is not UTF-8; rename it / 文件名不是 UTF-8 编码，请改名"
            return replace(made, sha256=self._hash(entry), reason=reason), []
        if entry.key.lower().endswith(OTHER_FORMATS):
            reason = (
                "neither a capture nor a table; export it as text or .xlsx / 不是报文或数据表，请导出为文本或 .xlsx"
            )
            return replace(made, sha256=self._hash(entry), reason=reason), []
        if kind := self._desk.kind_of(entry.key):
            return self._read_export(entry, replace(made, kind=kind), known, say)
        shorter = (a for a in known.values() if a.path == entry.key and a.state != "grown" and a.size < entry.size)
        before = max(shorter, key=lambda a: a.size, default=None)
        capture = Capture(self._landing, entry.key, prefix=before.size if before else 0)
        writer = self.segments.writer(token, self._devices.pairs)
        try:
            told = 0
            for kept in self._reader.read(capture, writer.keep, ahead=ahead):
                writer.enter(kept)
                if capture.text_bytes - told >= SAY_EVERY:
                    told = capture.text_bytes
                    say(f"{entry.key}: {told / 1e6:.0f} MB of text read")
        except (CaptureError, OSError) as error:
            self.segments.drop(token)
            return replace(made, sha256=capture.sha256, reason=str(error)), []
        record = writer.close(capture.text_bytes, str(self._window[0]))
        same = before is not None and (before.size == 0 or capture.prefix_sha256 == before.sha256)
        outgrown = [before] if before is not None and same else []
        made = replace(made, sha256=capture.sha256, state="read", basis=self.basis(record.mns), record=record)
        if not record.frames_accepted and not record.frames_quarantined and record.text_bytes:
            reason = (
                "文件中没有 HJ 212 报文（## 和四位长度）；是导出表请改扩展名 .csv；是加密或压缩包请先解开"
                " / no HJ 212 frame in it (## and four digits); rename an exported table to .csv; unpack or decrypt an archive first"
            )
            made = replace(made, state="refused", reason=reason)
        return made, outgrown

    def _read_export(
        self, entry: Entry, made: Arrival, known: dict[str, Arrival], say: Callable[[str], None]
    ) -> tuple[Arrival, list[Arrival]]:
        capture = Capture(self._landing, entry.key)
        writer = self.segments.writer(made.token, self._devices.pairs)
        reader = self._desk.reader(entry.key, made.kind)
        try:
            for batch in reader.batches(capture):
                writer.enter(writer.keep(batch))
        except (CaptureError, ExportError, OSError) as error:
            self.segments.drop(made.token)
            reason = str(error)
            return replace(made, sha256=self._hash(entry), reason=reason, basis=self._desk.basis(entry.key, None)), []
        for note in reader.notes:
            say(f"{entry.key}: {note}")
        writer.about(made.kind, reader)
        record = writer.close(capture.text_bytes, str(self._window[0]))
        sha256 = capture.sha256 or self._hash(entry)
        basis = self._desk.basis(entry.key, record.mns)
        made = replace(made, sha256=sha256, state="read", basis=basis, record=record)
        older = [a for a in known.values() if a.path == made.path and a.live and a.token != made.token]
        return made, [a for a in older if made.covers(a)]

    def _hash(self, entry: Entry) -> str:
        with self._landing.open(entry.key) as source:
            return hashlib.file_digest(cast("io.BufferedReader", source), "sha256").hexdigest()

    def _settle(self, arrival: Arrival, outgrown: list[Arrival]) -> set[str]:
        """Enter an arrival; the days it touches, before and now."""
        old = self._arrivals.get(arrival.token)
        self._arrivals[arrival.token] = arrival
        for older in outgrown:
            self._arrivals[older.token] = replace(older, state="grown")
            self.segments.drop(older.token)
        self.__dict__.pop("_by_day", None)
        days = set(old.record.touched) if old and old.record else set()
        return days | (arrival.record.touched if arrival.record and arrival.live else set())

    def _save(self) -> None:
        rows = [asdict(a) for _, a in sorted(self._arrivals.items())]
        index = {"format": INDEX_FORMAT, "arrivals": rows}
        self._lake.write(INDEX, json.dumps(index, ensure_ascii=False).encode())

    def inputs(self) -> list[Arrival]:
        """The captures that count, each content once under its smallest path, ordered by path and content.

        This order is the precedence between frames without a QN (design.md 5.3).
        """
        best: dict[tuple[str, str], Arrival] = {}
        for arrival in sorted(self.arrivals(), key=lambda a: not self._stands(a)):
            if arrival.live:
                # A capture that was moved may have been read again with a newer registry: that reading counts.
                best.setdefault(arrival.content, arrival)
        return sorted(best.values(), key=lambda a: (a.path, a.sha256))

    def _stands(self, arrival: Arrival) -> bool:
        """It was read with the registry as it is now."""
        if arrival.kind in EXPORT_KINDS:
            return arrival.basis == self._desk.basis(arrival.path, arrival.record.mns if arrival.record else None)
        return arrival.record is None or arrival.basis == self.basis(arrival.record.mns)

    def arrivals(self) -> list[Arrival]:
        """Every arrival that still stands for something: inputs, copies of them, and refused files; grown ones are history.

        A file put in its place anew with the same bytes is the same arrival; one refused and then sent again is forgiven.
        """
        good = {a.path for a in self._arrivals.values() if a.live}
        standing = (a for a in self._arrivals.values() if a.live or (a.state == "refused" and a.path not in good))
        ordered = sorted(standing, key=lambda a: (a.path, a.sha256, not a.live, a.token))
        return list({(a.path, a.sha256): a for a in reversed(ordered)}.values())[::-1]

    def days(self) -> list[str]:
        """Local days that any input feeds, sorted."""
        return sorted(self._by_day)

    def of_day(self, day: str) -> list[Arrival]:
        """Inputs that feed a day, in order of precedence."""
        return self._by_day.get(day, [])

    @cached_property
    def _by_day(self) -> dict[str, list[Arrival]]:
        found: dict[str, list[Arrival]] = {}
        for arrival in self.inputs():
            for day in arrival.record.touched if arrival.record else ():
                found.setdefault(day, []).append(arrival)
        return found
