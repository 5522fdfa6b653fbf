"""Where the companies are: counties of GB/T 2260, each with the name of its city and how much business there is.

Knows a table of 58 counties in all provinces of the mainland; the weights follow the number of enterprises, roughly and from memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from loaders.city.draw import Floats, Ints


class Region(NamedTuple):
    """A county: its code, its city, its own name, and its part of all companies."""

    code: int
    city: str
    county: str
    weight: int


REGIONS: tuple[Region, ...] = tuple(
    Region(*row)
    for row in (
        (110105, "北京", "朝阳区", 40),
        (110108, "北京", "海淀区", 36),
        (120104, "天津", "南开区", 14),
        (130102, "石家庄", "长安区", 10),
        (130602, "保定", "竞秀区", 6),
        (140105, "太原", "小店区", 8),
        (150102, "呼和浩特", "新城区", 5),
        (210102, "沈阳", "和平区", 9),
        (210202, "大连", "中山区", 7),
        (220102, "长春", "南关区", 6),
        (230103, "哈尔滨", "南岗区", 6),
        (310104, "上海", "徐汇区", 26),
        (310112, "上海", "闵行区", 30),
        (310115, "上海", "浦东新区", 44),
        (320102, "南京", "玄武区", 12),
        (320115, "南京", "江宁区", 14),
        (320205, "无锡", "锡山区", 14),
        (320402, "常州", "天宁区", 10),
        (320505, "苏州", "虎丘区", 16),
        (320583, "苏州", "昆山市", 20),
        (330106, "杭州", "西湖区", 18),
        (330108, "杭州", "滨江区", 14),
        (330109, "杭州", "萧山区", 18),
        (330212, "宁波", "鄞州区", 16),
        (330302, "温州", "鹿城区", 16),
        (330681, "绍兴", "诸暨市", 10),
        (330782, "金华", "义乌市", 22),
        (340104, "合肥", "蜀山区", 12),
        (350102, "福州", "鼓楼区", 10),
        (350203, "厦门", "思明区", 12),
        (350582, "泉州", "晋江市", 14),
        (360102, "南昌", "东湖区", 8),
        (370102, "济南", "历下区", 12),
        (370202, "青岛", "市南区", 14),
        (370602, "烟台", "芝罘区", 8),
        (410105, "郑州", "金水区", 16),
        (420106, "武汉", "武昌区", 14),
        (420111, "武汉", "洪山区", 12),
        (430102, "长沙", "芙蓉区", 10),
        (430104, "长沙", "岳麓区", 10),
        (440106, "广州", "天河区", 34),
        (440305, "深圳", "南山区", 36),
        (440306, "深圳", "宝安区", 38),
        (440605, "佛山", "南海区", 22),
        (441900, "东莞", "", 30),
        (442000, "中山", "", 12),
        (450103, "南宁", "青秀区", 9),
        (460106, "海口", "龙华区", 7),
        (500103, "重庆", "渝中区", 10),
        (500105, "重庆", "江北区", 10),
        (510104, "成都", "锦江区", 14),
        (510107, "成都", "武侯区", 18),
        (520102, "贵阳", "南明区", 7),
        (530102, "昆明", "五华区", 9),
        (610113, "西安", "雁塔区", 14),
        (620102, "兰州", "城关区", 5),
        (640104, "银川", "兴庆区", 4),
        (650102, "乌鲁木齐", "天山区", 6),
    )
)
CODE: Ints = np.array([region.code for region in REGIONS])
WEIGHT: Floats = np.array([region.weight for region in REGIONS], np.float64)
CITIES: tuple[str, ...] = tuple(region.city for region in REGIONS)
PLACES: tuple[str, ...] = tuple(f"{region.city}市{region.county}" for region in REGIONS)
