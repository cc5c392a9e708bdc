"""Units that factors can be in, and the range of their values: reference/factors/units.toml.

Belongs here: what unit a quantity takes, whether a value can be in it, and which slip would explain one that cannot. Does not belong
here: reading rows (`factors_read`), and values far from the one in force (`factors_import`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import reference

FILE = "units.toml"
#: Of what is beyond no slip is looked for: products of decimals have an end.
_LARGEST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Slip:
    """A unit that a value may have been written in; `times` brings it into the right one."""

    written: str
    times: Decimal

    @property
    def zh(self) -> str:
        """How far off that is."""
        return f"大 {float(1 / self.times):.6g} 倍" if self.times < 1 else f"小 {float(self.times):.6g} 倍"

    @property
    def en(self) -> str:
        """How far off that is."""
        return (
            f"{float(1 / self.times):.6g} times too large"
            if self.times < 1
            else f"{float(self.times):.6g} times too small"
        )


@dataclass(frozen=True, slots=True)
class Range:
    """What a value of a quantity can be in a unit, both ends inclusive; `zero`: or nought. `scopes`: for these only, () for all others."""

    quantity: str
    unit: str
    scopes: tuple[str, ...]
    low: Decimal
    high: Decimal
    zero: bool
    slips: tuple[Slip, ...]

    def holds(self, value: Decimal) -> bool:
        """Whether a value can be."""
        return self.low <= value <= self.high or (self.zero and not value)

    def slip(self, value: Decimal) -> Slip | None:
        """The unit that would explain a value; None where none does."""
        return next((s for s in self.slips if 0 < value < _LARGEST and self.holds(value * s.times)), None)

    def told(self, value: Decimal, zh: str, en: str) -> tuple[str, str, str, str]:
        """What is wrong with a value outside and what to do, in both languages; `zh`, `en` name the quantity."""
        slip = self.slip(value)
        end = f"{self.high:f} {self.unit}"
        if slip is None:
            return (
                f"超出{zh}的合理范围 {self.low:f} 至 {end}", f"is outside what the {en} can be, {self.low:f} to {end}",
                f"核对数值与单位 (范围见 reference/factors/{FILE})", f"check value and unit (ranges are in reference/factors/{FILE})",
            )  # fmt: skip
        return (
            f"超出{zh}的合理范围 {self.low:f} 至 {end}, {slip.zh}: 像是 {slip.written}",
            f"is outside what the {en} can be, {self.low:f} to {end}, {slip.en}: looks like {slip.written}",
            f"核对后以 {self.unit} 填写, 如 {float(value * slip.times):.6g}",
            f"check it and give it in {self.unit}, as {float(value * slip.times):.6g}",
        )


@cache
def ranges() -> tuple[Range, ...]:
    """Rows of the file, in its order."""
    rows = tomllib.loads((reference.FACTORS / FILE).read_text(encoding="utf-8"), parse_float=Decimal)["unit"]
    return tuple(
        Range(
            r["quantity"], r["unit"], tuple(r.get("scope", ())), Decimal(r["low"]), Decimal(r["high"]), r.get("zero", False),
            tuple(Slip(written, Decimal(times)) for written, times in r.get("slips", ())),
        )
        for r in rows
    )  # fmt: skip


def units_of(quantity: str) -> tuple[str, ...]:
    """Units that a quantity can be in; all there are for one that is not known."""
    return tuple(dict.fromkeys(r.unit for r in ranges() if quantity == r.quantity)) or tuple(
        dict.fromkeys(r.unit for r in ranges())
    )


def range_of(quantity: str, unit: str, scope: str) -> Range | None:
    """What a value can be; None where the quantity is not in that unit."""
    some = [r for r in ranges() if (r.quantity, r.unit) == (quantity, unit)]
    return next((r for r in some if scope in r.scopes), None) or next((r for r in some if not r.scopes), None)
