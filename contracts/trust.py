"""Contract of the table that says what moved between releases.

Belongs here: columns of restatements. Does not belong here: how changes are found (`resources/release_changes.py`)
and the release's manifest (`resources/release_records.py`).
"""

from __future__ import annotations

import pyarrow as pa

from contracts import meanings as m
from contracts.core import LABEL, Column, Table
from contracts.ledgers import PROVENANCE

#: What can make a published figure move. `unexplained` is never expected: no recorded fact differs, yet the figure does.
REASON_KINDS = ("factor", "rule", "late_data", "ledger", "declaration", "registry", "code", "unexplained")

#: Columns that name what a figure was reckoned from, and those that say where a row stands: neither is a figure.
NAMES = ("factor_set", "method_version", "factor_policy", "factor_ids")
PLACES = (*PROVENANCE, "src_table", "source_file", "source_cell")


def sort_of(column: str) -> str:
    """What moved with `column`: a figure (or what is said of one), a name of factors or methods, the place of a row."""
    return "name" if column in NAMES else "place" if column in PLACES else "figure"


#: Stands in `column` where a whole row is no longer published.
WITHDRAWN = "*"

RESTATEMENTS = Table(
    "restatements", "trust", "none", ("dataset", "key", "column", "release_id"),
    "数值变更记录", "published figures that moved: one row per value of a row that an earlier release already had",
    (
        Column("dataset", LABEL, "数据表：数值所在的表", "table of the figure", nullable=False),
        Column("key", pa.string(), "行键：列名=值, 以分号分隔", "key of the row as name=value pairs separated by semicolons", nullable=False),
        Column("column", LABEL, f"列：变动的列; {WITHDRAWN} 表示整行撤回", f"column that moved; {WITHDRAWN} when the whole row was withdrawn", nullable=False),
        Column("release_id", LABEL, "发布编号：数值在此发布变动", "release that moved it", nullable=False),
        Column("previous_release_id", LABEL, "上一发布编号：与之比较的发布", "release that it is compared with", nullable=False),
        Column("partition", LABEL, "分区：该行所在文件的分区键", "file of the row: key of its partition", nullable=False),
        Column("old", pa.string(), "原值：以文字表示, 原先没有则为空", "value before, as text; null where there was none"),
        Column("new", pa.string(), "新值：以文字表示, 现在没有则为空", "value now, as text; null where there is none"),
        Column("delta", pa.float64(), "差值：新值 - 原值, 非数值则为空", "new minus old; null unless both are numbers"),
        Column("provisional", pa.bool_(), "是否暂定：上一发布时该月或该年的数据尚未结束, 累计值本就会变", "the row's month or year had not ended in the data of the previous release: its running figures were expected to move", nullable=False),
        Column("reason_kind", LABEL, "原因类别：该分区所依据的事实中变化的一类; 有多项时取最重者", "kind of the facts behind this partition that differ between the two releases; the gravest where several do", nullable=False, values=REASON_KINDS, meanings=m.of(m.REASON_KIND, REASON_KINDS)),
        Column("reason_ref", LABEL, "原因：该分区所依据的事实中变化的各项", "every fact of these kinds that differs between the two releases", nullable=False),
    ),
    published=True,
    sort=("dataset", "partition"),
)  # fmt: skip
