"""What each table of a rule pack may hold: one record per key.

Belongs here: tables, keys, kinds, permitted values. Does not belong here: reading a pack (`rules_read`) and the law
itself (`reference/rules`).
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.cems import HOUR_TAGS
from contracts.channels import POLLUTANTS
from contracts.standards import AVERAGING, UNITS, UNMEASURED
from contracts.ule import POLICIES
from resources.registry_schema import POINT_TYPES, REGION_CLASSES
from resources.rules_rows import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table. `kind` is a key of KIND_TEXTS."""

    name: str
    kind: str
    required: bool = True
    values: tuple[str, ...] = ()
    default: object = None


#: Kinds of packs that hold by themselves, and those that hold where somebody chose them (`foreign`) or nowhere (`plan`: what
#: is intended but no law, kept to be read).
BY_LAW = ("ule", "mandatory", "method", "policy", "signals")
BY_CHOICE = ("foreign", "plan")

CITE = (
    Key("clause", "text"),
    Key("source", "list"),
    Key("mark", "text", values=tuple(CONFIDENCE)),
    Key("confidence", "text", values=tuple(dict.fromkeys(CONFIDENCE.values()))),
    Key("effective_from", "day"),
    Key("effective_to", "day", required=False),
    Key("note", "remark", required=False, default=""),
)
PACK = (
    Key("id", "text"),
    Key("kind", "text", values=(*BY_LAW, *BY_CHOICE)),
    Key("title_zh", "text"),
    Key("title_en", "text"),
    Key("number", "text"),
    Key("permit_names", "list", required=False, default=()),
    Key("provinces", "list", required=False, default=()),
    Key("effective_from", "day"),
    Key("effective_to", "day", required=False),
    Key("confidence", "text", values=tuple(dict.fromkeys(CONFIDENCE.values()))),
    Key("mark", "text", values=tuple(CONFIDENCE)),
)
_POINTS = Key("point_types", "list", values=POINT_TYPES)
#: Keys of each table beside those of a citation. A table that is not listed here is an error, and so is a key.
TABLES: dict[str, tuple[Key, ...]] = {
    "limit": (
        _POINTS,
        Key("pollutant", "text", values=POLLUTANTS),
        Key("value_mg_m3", "number"),
        Key("provinces", "list", required=False, default=()),
        Key("region_classes", "list", required=False, values=REGION_CLASSES, default=REGION_CLASSES),
        Key("with_reductant", "flag", required=False, default=False),
        Key("suffix", "remark", required=False, default=""),
    ),
    # Limits of packs that are chosen: they never meet the limits above.
    "standard_limit": (
        _POINTS,
        Key("pollutant", "text", values=(*POLLUTANTS, *UNMEASURED)),
        Key("value", "number"),
        Key("unit", "text", values=UNITS),
        Key("averaging", "text", values=AVERAGING),
        Key("value_low", "number", required=False),
        Key("variants", "list", required=False, default=()),
        Key("o2_reference_pct", "number", required=False),
        Key("confidence_interval_pct", "number", required=False),
        Key("with_reductant", "flag", required=False, default=False),
        Key("parametric", "flag", required=False, default=False),
        Key("suffix", "remark", required=False, default=""),
    ),
    "clause": (Key("name", "text"), Key("text_zh", "text"), Key("text_en", "text")),
    "o2_reference": (_POINTS, Key("o2_pct", "number")),
    "parameter": (Key("name", "text"), Key("value", "scalar"), Key("unit", "remark")),
    "policy": (
        Key("name", "text", values=POLICIES),
        Key("title_zh", "text"),
        Key("title_en", "text"),
        Key("headline", "flag", required=False, default=False),
        Key(
            "startup_shutdown",
            "text",
            values=("include_all_fuel_on", "exclude_tagged_within_cap", "exclude_all_tagged"),
        ),
        Key("invalid_hours", "text", values=("drop", "count_as_fail", "drop_with_min_capture")),
        Key("rounding", "text", values=("full_value", "round_half_even")),
        Key("min_capture_pct", "number", required=False),
        Key("rounding_decimals", "whole", required=False),
    ),
    "tag": (
        Key("tag", "text", values=HOUR_TAGS),
        Key("name_zh", "text"),
        Key("name_en", "text"),
        Key("at_least_minutes", "whole", required=False),
        Key("more_than_minutes", "whole", required=False),
    ),
    "target": (
        Key("provinces", "list", required=False, default=()),
        Key("region_class", "text", required=False, values=REGION_CLASSES),
        Key("target_pct", "number"),
        Key("target_date", "day"),
    ),
}
#: What each kind is called, zh and en.
KIND_TEXTS = {
    "text": ("文字", "a text"),
    "remark": ("文字 (可为空)", "a text, possibly empty"),
    "list": ("文字列表", "a list of texts"),
    "number": ("非负数", "a number, not negative"),
    "whole": ("非负整数", "an integer, not negative"),
    "flag": ("true 或 false", "true or false"),
    "day": ("日期 YYYY-MM-DD (不加引号)", "a date YYYY-MM-DD without quotes"),
    "scalar": ("数、文字或 true/false", "a number, a text or true/false"),
}
