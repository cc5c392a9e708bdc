"""What makes a workbook unreadable, found before it is read.

Belongs here: how far an archive would unpack, damage, passwords, formulas without a value. Does not belong here: sheets and cells
(`exports_sheets`).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from resources.exports_errors import ExportError

if TYPE_CHECKING:
    from typing import BinaryIO

#: What a workbook may unpack to, and weigh where it is not packed.
LARGEST_UNPACKED = 1 << 30
LARGEST_XLS = 256 << 20
RESEND = ("请重新导出并发送", "export and send it again")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")
_UNCOUNTED = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]+[0-9]+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>\s*|<v>\s*</v>\s*)?</c>'
)
_FORMULA = re.compile(rb"<f[\s>/]")


def guard_zip(source: BinaryIO) -> None:
    """Refuse what would unpack to too much before unpacking it; then look through the sheets once, in bounded memory."""
    try:
        with zipfile.ZipFile(source) as packed:
            names = packed.infolist()
            total = sum(i.file_size for i in names)
            if total > LARGEST_UNPACKED:
                raise ExportError(
                    f"解压后有 {total >> 20} MB, 超过 {LARGEST_UNPACKED >> 20} MB", f"it unpacks to {total >> 20} MB, more than {LARGEST_UNPACKED >> 20} MB",
                    "按月分开导出, 或导出为 CSV", "export month by month, or as CSV",
                )  # fmt: skip
            if not any(_SHEET.match(i.filename) for i in names):
                raise ExportError(
                    "压缩包中没有 Excel 工作表",
                    "the archive holds no Excel sheet",
                    "请导出为 .xlsx 或 CSV",
                    "export it as .xlsx or CSV",
                )
            for info in names:
                _look_through(packed, info)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ExportError(
            f"文件已损坏或加密 ({error})", f"the file is damaged or encrypted ({error})", *RESEND
        ) from error


def _look_through(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Read one member to its end, which holds its check sum and its size, and find formulas that were never calculated."""
    sheet = bool(_SHEET.match(info.filename))
    with packed.open(info) as member:
        kept = b""
        while piece := member.read(1 << 20):
            if not sheet:
                continue
            data = kept + piece
            if _FORMULA.search(data) and (cell := _UNCOUNTED.search(data)):
                raise ExportError(
                    f"单元格 {cell[1].decode()} 的公式没有计算结果", f"the formula in cell {cell[1].decode()} has no calculated value",
                    "在 Excel 中打开并保存, 或粘贴为数值", "open it in Excel and save it, or paste values",
                )  # fmt: skip
            kept = data[-4096:]


def guard_ole(source: BinaryIO, size: int) -> None:
    """Refuse what is too large or locked; `size` in bytes."""
    if size > LARGEST_XLS:
        raise ExportError(
            f".xls 大于 {LARGEST_XLS >> 20} MB",
            f"an .xls of more than {LARGEST_XLS >> 20} MB",
            "请导出为 CSV",
            "export it as CSV",
        )
    if "EncryptedPackage".encode("utf-16-le") in source.read():
        raise locked()


def locked() -> ExportError:
    """The refusal of a file with a password."""
    return ExportError(
        "文件有密码保护", "the file is protected by a password", "请去掉密码后重新保存", "save it without a password"
    )
