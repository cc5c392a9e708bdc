"""The law as data: limits, rules, methods, factor codes; every row dated, cited, with a confidence.

Belongs here: TOML and CSV that a domain expert can change without programming, and the path to them. Does not belong
here: code that reads them (`resources/rules.py`, `resources/factors_hj212.py` and their kin) and what any table holds (`contracts`).
"""

from __future__ import annotations

from pathlib import Path

#: The folder of this package; rule packs are in `rules/`, codes of the HJ 212 protocol in `hj212/`, words of exports in `exports/`.
FOLDER = Path(__file__).parent
RULES = FOLDER / "rules"
HJ212 = FOLDER / "hj212"
EXPORTS = FOLDER / "exports"
FACTORS = FOLDER / "factors"
LEDGERS = FOLDER / "ledgers"
METHODS = FOLDER / "methods"
ETS = FOLDER / "ets"
