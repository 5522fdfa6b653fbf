"""What the companies do: divisions of GB/T 4754, what each buys from the others, and what it sells.

Knows an input–output table of direct purchases by division (shares of what is bought, in hundredths): materials flow to makers,
makers to builders and traders, services to all. The shares are rough and from memory, not read from the published national table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from loaders.city.draw import Floats, Ints


class Industry(NamedTuple):
    """A division: code, words that names use, goods (code and name), part of all companies, part sold to consumers, what it buys."""

    code: str
    words: tuple[str, ...]
    goods: tuple[str, str]
    weight: int
    consumers: int
    buys: dict[str, int]


INDUSTRIES: tuple[Industry, ...] = tuple(
    Industry(*row)
    for row in (
        ("A01", ("农业", "农业科技", "生态农业"), ("1010115010000000000", "蔬菜"), 30, 25, {"C26": 40, "C13": 10, "F51": 30, "G54": 20}),
        ("B06", ("煤业", "能源"), ("1020101010000000000", "原煤"), 3, 0, {"C34": 45, "D44": 30, "G54": 25}),
        ("C13", ("食品", "粮油", "农产品"), ("1030101010000000000", "粮食加工品"), 24, 20, {"A01": 65, "C29": 10, "F51": 15, "G54": 10}),
        ("C17", ("纺织", "布业", "纺织品"), ("1040101010000000000", "纱线"), 22, 3, {"C26": 45, "A01": 15, "F51": 25, "D44": 15}),
        ("C18", ("服饰", "制衣", "服装"), ("1040201010000000000", "服装"), 26, 20, {"C17": 65, "F51": 20, "G54": 15}),
        ("C21", ("家具", "家居", "木业"), ("1050201010000000000", "家具"), 14, 25, {"C26": 20, "C33": 20, "C17": 15, "F51": 45}),
        ("C22", ("纸业", "包装", "纸制品"), ("1060105010000000000", "纸制品"), 14, 2, {"C26": 35, "F51": 40, "D44": 25}),
        ("C26", ("化工", "新材料", "化工科技"), ("1070201010000000000", "化工产品"), 18, 2, {"B06": 30, "C26": 25, "D44": 20, "F51": 25}),
        ("C29", ("塑胶", "塑料", "橡塑"), ("1070601010000000000", "塑料制品"), 22, 2, {"C26": 65, "F51": 20, "D44": 15}),
        ("C30", ("建材", "石材", "玻璃"), ("1080101010000000000", "水泥制品"), 20, 3, {"B06": 30, "C26": 20, "G54": 25, "F51": 25}),
        ("C31", ("钢铁", "金属材料"), ("1080201010000000000", "钢材"), 8, 0, {"B06": 50, "D44": 20, "F51": 30}),
        ("C33", ("金属制品", "五金", "五金制品"), ("1080411010000000000", "金属制品"), 30, 4, {"C31": 60, "F51": 25, "C26": 15}),
        ("C34", ("机械", "设备制造", "精密机械"), ("1090101010000000000", "通用设备"), 30, 0, {"C31": 30, "C33": 35, "C38": 20, "F51": 15}),
        ("C36", ("汽车配件", "汽车零部件"), ("1090201010000000000", "汽车零部件"), 14, 2, {"C31": 30, "C33": 25, "C29": 25, "C39": 20}),
        ("C38", ("电气", "电器", "照明电器"), ("1090401010000000000", "电气设备"), 22, 8, {"C33": 35, "C29": 25, "C39": 25, "F51": 15}),
        ("C39", ("电子", "电子科技", "光电科技"), ("1090501010000000000", "电子元件"), 26, 8, {"C39": 35, "C29": 15, "C33": 20, "F51": 30}),
        (
            "E47",
            ("建筑工程", "建设工程", "建设"),
            ("3050100000000000000", "工程服务"),
            36,
            5,
            {"C30": 35, "C31": 25, "C33": 15, "L71": 10, "F51": 15},
        ),
        ("E50", ("装饰工程", "装饰设计"), ("3050300000000000000", "装修服务"), 26, 30, {"C30": 30, "C21": 20, "C38": 15, "F51": 35}),
        (
            "F51",
            ("贸易", "商贸", "供应链管理", "进出口"),
            ("1100101010000000000", "批发商品"),
            120,
            4,
            {"C13": 12, "C18": 10, "C26": 12, "C31": 12, "C33": 12, "C34": 10, "C39": 14, "F51": 18},
        ),
        (
            "F52",
            ("百货", "电子商务", "商行"),
            ("1100201010000000000", "零售商品"),
            90,
            80,
            {"C13": 22, "C18": 18, "C38": 12, "C39": 10, "F51": 38},
        ),
        ("G54", ("物流", "运输", "货运代理"), ("3010102020000000000", "运输服务"), 34, 2, {"C36": 20, "F51": 50, "L72": 30}),
        ("D44", ("新能源", "电力工程"), ("1100101020000000000", "电力"), 6, 10, {"B06": 50, "C38": 40, "C34": 10}),
        ("H62", ("餐饮管理", "餐饮"), ("3070401000000000000", "餐饮服务"), 36, 85, {"A01": 35, "C13": 40, "F51": 25}),
        ("I65", ("科技", "信息技术", "网络科技", "软件"), ("3040201010000000000", "软件服务"), 70, 10, {"C39": 35, "I65": 35, "L72": 30}),
        ("L71", ("租赁", "设备租赁"), ("3040502020000000000", "租赁服务"), 14, 5, {"C34": 55, "C36": 25, "L72": 20}),
        (
            "L72",
            ("商务服务", "企业管理", "企业管理咨询", "广告传媒"),
            ("3040803000000000000", "咨询服务"),
            80,
            5,
            {"I65": 35, "L72": 35, "C22": 15, "F51": 15},
        ),
        (
            "M75",
            ("科技发展", "技术服务", "环保科技"),
            ("3040101000000000000", "研发服务"),
            46,
            3,
            {"C39": 35, "I65": 30, "L72": 25, "C26": 10},
        ),
    )
)
PLACE: dict[str, int] = {industry.code: place for place, industry in enumerate(INDUSTRIES)}
WEIGHT: Floats = np.array([industry.weight for industry in INDUSTRIES], np.float64)
CONSUMERS: Floats = np.array([industry.consumers for industry in INDUSTRIES]) / 100
#: Row: the buyer; column: the seller. Rows sum to one.
BUYS: Floats = np.array([[industry.buys.get(other.code, 0) for other in INDUSTRIES] for industry in INDUSTRIES]) / 100
#: Value-added tax in parts per million: 13 % on goods, 9 % on farm produce, transport and building, 6 % on services.
_NINE = ("A01", "E47", "E50", "G54")
TAX_PPM: Ints = np.array([90_000 if i.code in _NINE else 60_000 if i.code[0] in "HILM" else 130_000 for i in INDUSTRIES])
