"""The parser that most people write: plain Python, split on `;` and `,`, CRC by table. What the kernel is compared with.

Belongs here: nothing clever. Does not belong here: quarantine, duplicates, Parquet; the comparison is in its favour.
"""

from __future__ import annotations


def _table() -> list[int]:
    table = []
    for byte in range(256):
        reg = byte
        for _ in range(8):
            reg = (reg >> 1) ^ (0xA001 if reg & 1 else 0)
        table.append(reg)
    return table


_TABLE = _table()


def crc(data: bytes) -> int:
    """HJ 212 CRC, a table step a byte."""
    reg = 0xFFFF
    for byte in data:
        reg = _TABLE[(reg >> 8) ^ byte]
    return reg


def parse(text: bytes) -> list[dict[str, str | float]]:
    """Rows of the minute packets whose length and CRC are right."""
    rows = []
    for line in text.split(b"\r\n"):
        at = line.find(b"##")
        if at < 0 or not line[at + 2 : at + 6].isdigit():
            continue
        length = int(line[at + 2 : at + 6])
        segment = line[at + 6 : at + 6 + length]
        declared = line[at + 6 + length : at + 10 + length]
        if len(declared) != 4 or len(segment) != length or b"%04X" % crc(segment) != declared.upper():
            continue
        head, _, area = segment.decode("utf-8", "replace").partition("CP=&&")
        fields = dict(f.partition("=")[::2] for f in head.split(";") if f)
        if fields.get("CN") != "2051":
            continue
        row: dict[str, str | float] = {"MN": fields.get("MN", "")}
        for item in area.removesuffix("&&").split(";"):
            for pair in item.split(","):
                name, _, value = pair.partition("=")
                try:
                    row[name] = float(value)
                except ValueError:
                    row[name] = value
        rows.append(row)
    return rows
