"""Names of companies and of people.

Knows the habits: a place, a word of the founder's choice, the trade, the form (杭州云帆科技有限公司), and how common surnames and given
names are; hides that a name is put together from tables in whole columns.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city import industries, regions
from loaders.city.draw import Ints, weighted
from loaders.city.firms import CLEARING, LANDLORD, LENDER, PLATFORM, STATE, TAX, UTILITY, Firms
from loaders.city.text import joined, words

_FIRST = "云恒鑫瑞华盛宏中新天金嘉德永安泰正信东润隆凯博创宝锦万荣佳远海星顺达美汇龙康源旭卓亿鸿聚祥诚百智兴春丰长方同利昌茂齐升晟启承联优"
_SECOND = "帆达盛源鑫泰兴隆诚和信通丰茂荣嘉辉瑞博创科远航宇景腾翔峰川润泽安康宁祥顺昌弘毅铭轩雅美邦联汇力业升洋森林木石云月阳光"
_FORMS = ("有限公司", "有限责任公司", "股份有限公司", "商行", "经营部")
_FORM_WEIGHTS = (86, 4, 3, 4, 3)
#: Surnames in the order of how many bear them, with their parts of the people in ten thousandths: the first three as counted by the police
#: (公安部治安管理局: 7.25, 7.19 and 6.83 %), the others from memory, to be checked.
_SURNAMES = (
    *(("王", 725), ("李", 719), ("张", 683), ("刘", 517), ("陈", 485), ("杨", 309), ("黄", 244), ("赵", 216), ("吴", 210), ("周", 200)),
    *(("徐", 144), ("孙", 139), ("马", 130), ("朱", 125), ("胡", 119), ("郭", 113), ("何", 110), ("林", 106), ("高", 103), ("罗", 100)),
    *(("郑", 93), ("梁", 86), ("谢", 78), ("宋", 72), ("唐", 71), ("许", 69), ("邓", 66), ("韩", 65), ("冯", 65), ("曹", 60)),
    *(("彭", 58), ("曾", 55), ("肖", 54), ("田", 53), ("董", 52), ("潘", 51), ("袁", 50), ("蔡", 49), ("蒋", 48), ("余", 47)),
    *(("于", 46), ("杜", 45), ("叶", 44), ("程", 43), ("魏", 42), ("苏", 41), ("吕", 40), ("丁", 39), ("任", 38), ("卢", 37)),
    *(("欧阳", 8), ("上官", 1), ("司马", 1), ("诸葛", 1)),
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国文辉力志新海燕春梅雪飞鹏宇浩子轩梓涵欣怡佳俊晨思远雨婷嘉博瑞晓东"
_INSTITUTION_NAMES = {
    LENDER: ("商业银行股份有限公司", "农村商业银行股份有限公司", "小额贷款有限公司", "商业保理有限公司"),
    TAX: ("税务局",),
    UTILITY: ("供电公司", "水务集团有限公司", "燃气有限公司"),
    PLATFORM: ("支付科技有限公司", "网络支付服务有限公司"),
    LANDLORD: ("产业园管理有限公司", "物业管理有限公司", "孵化器管理有限公司"),
    CLEARING: ("同业清算中心",),
    STATE: ("国有资产监督管理委员会", "国有资本投资运营有限公司"),
}


def people(rng: np.random.Generator, count: int) -> tuple[Ints, pa.Array]:
    """Return the place of each person's surname in the table, and the given names, of one sign or of two."""
    surname = weighted(rng, [share for _, share in _SURNAMES], count)
    rank = 1.0 / (np.arange(len(_GIVEN)) + 12.0)
    first, second = weighted(rng, rank, count), weighted(rng, rank, count)
    single = pa.array(rng.random(count) < 0.18)
    return surname, pc.if_else(single, words(_GIVEN, first), joined(words(_GIVEN, first), words(_GIVEN, second)))


def full(surname: Ints, given: pa.Array) -> pa.Array:
    """Return full names."""
    return joined(words([name for name, _ in _SURNAMES], surname), given)


def companies(rng: np.random.Generator, firms: Firms) -> pa.Array:
    """Return the names of companies and institutions."""
    count = len(firms)
    first, second, third = rng.integers(0, len(_FIRST), count), rng.integers(0, len(_SECOND), count), rng.integers(0, len(_SECOND), count)
    word = joined(words(_FIRST, first), words(_SECOND, second))
    longer = pa.array((rng.random(count) < 0.22) & (second != third))
    word = pc.if_else(longer, joined(word, words(_SECOND, third)), word)
    place, trade = words(regions.CITIES, firms.region), _trade(rng, firms)
    form = words(_FORMS, weighted(rng, _FORM_WEIGHTS, count))
    usual = joined(place, word, trade, form)
    bracket = joined(word, "（", place, "）", trade, form)
    return pc.if_else(pa.array(firms.role > 0), _institutions(firms), pc.if_else(pa.array(rng.random(count) < 0.07), bracket, usual))


def stock(named: pa.Array) -> pa.Array:
    """Return the names with the form that a listed company has.

    >>> stock(pa.array(["杭州云帆科技有限公司", "宁波鑫泰贸易股份有限公司"])).to_pylist()
    ['杭州云帆科技股份有限公司', '宁波鑫泰贸易股份有限公司']
    """
    return pc.replace_substring_regex(named, f"({'|'.join(sorted(_FORMS, key=len, reverse=True))})$", "股份有限公司")


def _trade(rng: np.random.Generator, firms: Firms) -> pa.Array:
    """Return the word for the trade, one of those that the industry's names use."""
    table = [word for industry in industries.INDUSTRIES for word in industry.words]
    sizes = np.array([len(industry.words) for industry in industries.INDUSTRIES])
    begin = np.cumsum(sizes) - sizes
    return words(table, begin[firms.industry] + (rng.random(len(firms)) * sizes[firms.industry]).astype(np.int64))


def _institutions(firms: Firms) -> pa.Array:
    """Return names of institutions: the place, a number where a place has several, what it is."""
    table = [name for names in _INSTITUTION_NAMES.values() for name in names]
    sizes = np.array([0, *(len(names) for names in _INSTITUTION_NAMES.values())])
    begin = np.cumsum(sizes) - sizes
    number = np.arange(len(firms))
    kind = begin[firms.role] + number % np.maximum(sizes[firms.role], 1)
    serial = words("一二三四五六七八九十", number % 10)
    return joined(words(regions.CITIES, firms.region), "第", serial, words(table, np.minimum(kind, len(table) - 1)))
