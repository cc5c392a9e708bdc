"""What goes wrong between a stack and a capture file, and on the way to an event or ledger that is handed in; how often.

Belongs here: one rate per kind of dirt, and three mixtures. Does not belong here: how each kind is made (`plan`, `traffic`,
`damage`, `declared`, `ledger_slips`). The default rates follow what was measured on real captures (one day of 139 to 294 stations, 2016); kinds that
were seen but not counted have small rates of our own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dirt:
    """Rates of each kind; all zero means a clean landing zone.

    Shares of devices or plants are fixed for the life of a device; rates per outlet-day and per frame are drawn each time.
    """

    # Share of devices.
    ms_time: float = 0.0  #: DataTime with 17 digits
    seconds: float = 0.0  #: seconds other than 00 in DataTime
    split: float = 0.0  #: long records sent in parts (PNUM, PNO)
    lower_crc: float = 0.0  #: check sum in lower-case hex
    odd_header: float = 0.0  #: MN before PW, a stray separator before the closing &&
    wrong_st: float = 0.0  #: ST=32 on a stack
    flow_weighted: float = 0.0  #: hour means weighted by flow instead of plain ones
    auto_label: float = 0.0  #: registry leaves the time label to be found
    # Number of devices.
    modbus_allowed: int = 0  #: Modbus check sums, permitted by the registry
    modbus_denied: int = 0  #: Modbus check sums, not permitted by the registry
    # Share of plants.
    log_text: float = 0.0  #: collector writes log text (also GB18030) around the frames
    # Per outlet-day.
    gap: float = 0.0  #: logger off for a while
    outage: float = 0.0  #: link down: frames come later the same day, on a later day, or never
    clock_jump: float = 0.0  #: logger clock back at 2000-02-02 for a while
    flat: float = 0.0  #: a channel stands still
    zero: float = 0.0  #: a channel shows exact zeros
    negative: float = 0.0  #: a channel drifts below zero
    over_range: float = 0.0  #: a channel stands at its end of range, flagged T
    fault: float = 0.0  #: device fault, zeros flagged D
    maintenance: float = 0.0  #: maintenance, flagged M
    calibration: float = 0.0  #: zero and span gas, flagged C only in part
    strange_flag: float = 0.0  #: a flag letter that no edition of the standard lists
    # Per outlet and 30 days.
    out_of_control: float = 0.0  #: an analyser drifts for hours to days, unseen by its logger
    breakdown: float = 0.0  #: an analyser is out of order for hours to days, zeros flagged D
    # Per frame.
    repeat: float = 0.0  #: the same bytes again
    conflict: float = 0.0  #: the same record again with another value
    late_conflict: float = 0.0  #: of records that a late resend covers again: the same record with another value
    bytes_lost: float = 0.0  #: one to four bytes lost inside the data area
    bit_flip: float = 0.0  #: one bit flipped
    nul_data: float = 0.0  #: bytes of the data area turned to NUL
    nul_head: float = 0.0  #: ST of two NULs under a right check sum
    nul_between: float = 0.0  #: NUL bytes between frames
    trailer: float = 0.0  #: `&&#G10...&` between data area and check sum
    short_len: float = 0.0  #: LEN with three digits
    wrong_len: float = 0.0  #: LEN off by a few under a right check sum
    unknown_mn: float = 0.0  #: a device that the registry does not know
    unknown_factor: float = 0.0  #: a factor outside the known set
    unknown_subfield: float = 0.0  #: a sub-field outside the known set
    bad_value: float = 0.0  #: `--` or nothing where a number belongs
    repeated_key: float = 0.0  #: a field named twice with different values
    encrypted: float = 0.0  #: SM4-like data area of HJ 212-2025
    no_data_area: float = 0.0  #: no CP=&&...&&
    no_cn: float = 0.0  #: no CN
    bad_data_time: float = 0.0  #: DataTime cut short
    glued: float = 0.0  #: no line break behind the frame
    noise_line: float = 0.0  #: a line of text that holds no frame
    # Per declared event (state of a kiln or mark of a device).
    undeclared: float = 0.0  #: nobody declares it
    late_declared: float = 0.0  #: declared after 12:00 of the next day
    undated: float = 0.0  #: no time of declaration
    open_end: float = 0.0  #: no end until it is declared again under the same id
    overlapping: float = 0.0  #: its period reaches into the one before
    unknown_name: float = 0.0  #: a line, outlet, channel, state or mark that does not exist
    bad_period: float = 0.0  #: an end before its start, or a time that is none
    # Per line, per outlet and 30 days.
    false_event: float = 0.0  #: a state or mark of which nothing is true
    # Per row of a ledger.
    ledger_unit: float = 0.0  #: a figure in another unit: kg, kcal/kg, kWh, a fraction
    ledger_text: float = 0.0  #: words in a cell for a number
    ledger_gap: float = 0.0  #: a month that is never handed in
    ledger_corrected: float = 0.0  #: wrong at first, handed in again later
    ledger_unknown: float = 0.0  #: a fuel or raw material that is on no list
    ledger_negative: float = 0.0  #: a stock below zero
    # Per calibration of a meter.
    meter_lapse: float = 0.0  #: it comes weeks after the last one has run out
    # Per file.
    cut_end: float = 0.0  #: the file ends inside its last frame

    @classmethod
    def none(cls) -> Dirt:
        """Nothing goes wrong; sources still stop and start."""
        return cls()

    @classmethod
    def default(cls) -> Dirt:
        """Rates as measured in the field where they were counted."""
        return cls(
            ms_time=0.2, seconds=0.03, split=0.15, lower_crc=0.03, odd_header=0.05, wrong_st=0.03, flow_weighted=0.04, auto_label=0.2,
            modbus_allowed=1, modbus_denied=1, log_text=0.4,
            gap=0.05, outage=0.06, clock_jump=0.003, flat=0.08, zero=0.06, negative=0.03, over_range=0.02, fault=0.03,
            maintenance=0.03, calibration=0.14, strange_flag=0.005, out_of_control=0.15, breakdown=0.15,
            repeat=0.025, conflict=0.0003, late_conflict=0.05, bytes_lost=0.0003, bit_flip=0.0001, nul_data=0.00005, nul_head=0.0001, nul_between=0.0001,
            trailer=0.00002, short_len=0.00006, wrong_len=0.00002, unknown_mn=0.0001, unknown_factor=0.0003, unknown_subfield=0.0003,
            bad_value=0.0003, repeated_key=0.0001, encrypted=0.00005, no_data_area=0.00002, no_cn=0.00002, bad_data_time=0.00005,
            glued=0.0002, noise_line=0.0005, cut_end=0.02,
            undeclared=0.05, late_declared=0.06, undated=0.02, open_end=0.06, overlapping=0.04, unknown_name=0.01, bad_period=0.01,
            false_event=0.04,
            ledger_unit=0.004, ledger_text=0.004, ledger_gap=0.004, ledger_corrected=0.008, ledger_unknown=0.004, ledger_negative=0.003,
            meter_lapse=0.1,
        )  # fmt: skip

    @classmethod
    def heavy(cls) -> Dirt:
        """Every kind occurs within a day of a few outlets."""
        frame = 0.004
        return cls(
            ms_time=0.4, seconds=0.2, split=0.6, lower_crc=0.15, odd_header=0.3, wrong_st=0.2, flow_weighted=0.2, auto_label=0.4,
            modbus_allowed=1, modbus_denied=1, log_text=0.8,
            gap=0.3, outage=0.6, clock_jump=0.15, flat=0.4, zero=0.3, negative=0.2, over_range=0.2, fault=0.2,
            maintenance=0.2, calibration=0.5, strange_flag=0.2, out_of_control=0.7, breakdown=0.7,
            repeat=0.05, conflict=0.01, late_conflict=0.5, bytes_lost=frame, bit_flip=frame, nul_data=frame, nul_head=frame, nul_between=frame,
            trailer=frame, short_len=frame, wrong_len=frame, unknown_mn=frame, unknown_factor=frame, unknown_subfield=frame,
            bad_value=frame, repeated_key=frame, encrypted=frame, no_data_area=frame, no_cn=frame, bad_data_time=frame,
            glued=frame, noise_line=frame, cut_end=0.5,
            undeclared=0.12, late_declared=0.15, undated=0.08, open_end=0.15, overlapping=0.15, unknown_name=0.08, bad_period=0.14,
            false_event=0.4,
            ledger_unit=0.03, ledger_text=0.03, ledger_gap=0.02, ledger_corrected=0.04, ledger_unknown=0.03, ledger_negative=0.03,
            meter_lapse=0.4,
        )  # fmt: skip
