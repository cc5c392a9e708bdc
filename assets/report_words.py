"""Words of the report in Chinese and English, by the names that the tables use.

Belongs here: what a listed value is called on a page. Does not belong here: texts of columns, reasons and signals, which the
contracts and the catalogue of signals hold.
"""

from __future__ import annotations

from contracts.channels import CHANNELS

VERDICTS = {
    "PASS": ("达标", "pass"),
    "FAIL": ("不达标", "fail"),
    "INSUFFICIENT": ("数据不足", "too few valid hours"),
    "NO_PRODUCTION": ("未生产", "no production"),
}
POINTS = {
    "kiln_tail": ("窑尾", "kiln tail"),
    "cooler": ("窑头冷却机", "cooler"),
    "coal_mill": ("煤磨", "coal mill"),
    "raw_mill": ("生料磨", "raw mill"),
    "cement_mill": ("水泥磨", "cement mill"),
    "dryer": ("烘干", "dryer"),
    "crusher": ("破碎", "crusher"),
    "packing": ("包装", "packing"),
    "other": ("其他", "other"),
}
POLLUTANTS = {c.name: (c.zh, c.name.upper()) for c in CHANNELS} | {"joint": ("合并判定", "joint")}
#: Kinds of hours in a strip, in the order of the legend.
HOURS = {
    "ok": ("达标小时", "within the limit"),
    "fail": ("超过超低限值", "above the ultra-low limit"),
    "over": ("超过强制标准或许可限值", "above the mandatory standard or permit"),
    "invalid": ("有数据而无效", "recorded, not valid"),
    "no_data": ("无数据", "no data"),
    "still": ("未生产", "not in production"),
    "exempt": ("豁免或无限值", "exempt or no limit"),
}
SCOPES = {"province": ("省", "province"), "group": ("集团", "group"), "plant": ("企业", "plant")}
SEVERITIES = {"serious": ("严重", "serious"), "warn": ("注意", "warn"), "info": ("提示", "info")}
CONFIDENCE = {
    "verified": ("已核原文", "read in the legal text"),
    "secondary": ("二手来源", "secondary source"),
    "memory": ("凭记忆", "from memory"),
    "draft": ("待核实", "draft"),
}
