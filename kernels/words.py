"""Eight bytes at once out of a byte array, at any place, and the digits they spell.

Belongs here: the one load that numba has no spelling for, and arithmetic on such words. Does not belong here: what the bytes
mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@intrinsic  # type: ignore[untyped-decorator]
def _load_word(_context: Any, buf: Any, _at: Any) -> Any:  # noqa: ANN401 - numba's own types
    if not isinstance(buf, types.Array) or buf.dtype != types.uint8 or buf.layout != "C":
        raise TypeError("load_word wants a contiguous uint8 array")
    signature = types.uint64(buf, types.int64)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())
        word = builder.load(place)
        word.align = 1
        return word

    return signature, generate


#: buf[at:at + 8] as a little-endian uint64, inside compiled code only; `buf` is contiguous uint8 and the caller keeps
#: 0 <= at <= buf.size - 8. Spelled as eight indexed bytes it would be eight loads with eight sign checks.
load_word = cast("Callable[[NDArray[np.uint8], int], np.uint64]", _load_word)

#: The words above are little-endian; the project supports no other machine.
assert np.little_endian  # noqa: S101


@njit(cache=True, nogil=True)
def leading_digits(word: np.uint64) -> int:
    """How many of the word's bytes, from the first, are ASCII digits (0..8), without a loop."""
    t = word ^ np.uint64(0x3030303030303030)
    # A byte above 9 carries into its high bit; a byte of 128 and more has it set already.
    strange = ((t & np.uint64(0x7F7F7F7F7F7F7F7F)) + np.uint64(0x7676767676767676) | t) & np.uint64(0x8080808080808080)
    if strange == np.uint64(0):
        return 8
    first = (strange & (~strange + np.uint64(1))) >> np.uint64(7)
    return np.int64((first * np.uint64(0x0001020304050607)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def digits_value(word: np.uint64, n: int) -> int:
    """The number that the word's first `n` digits (1..8) spell: pairs, then fours, then all eight at once."""
    t = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) << np.uint64(64 - 8 * n)
    t = (t * np.uint64(2561)) >> np.uint64(8)
    t = ((t & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    return np.int64(((t & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32))
