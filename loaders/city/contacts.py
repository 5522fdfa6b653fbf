"""Where companies sit, by which phone they answer, from which devices they bank.

Knows that owners use one phone and one device for all their companies, and that tenants, shells and customers of one
accountant share; hides how a number or an address is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loaders.city import codes, regions
from loaders.city.draw import Ints, chance, counted, rank_within, stream, weighted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame
from loaders.city.money import DAY
from loaders.city.params import Params
from loaders.city.people import People
from loaders.city.plot import ADDRESS, DEVICE, PHONE, ROOM, Shared
from loaders.city.rhythm import Calendar, seconds
from loaders.city.text import digits, joined, words

_ROADS = (
    *(
        "人民路",
        "解放路",
        "中山路",
        "建设路",
        "文化路",
        "新华路",
        "和平路",
        "长江路",
        "黄河路",
        "科技路",
        "创业大道",
        "工业园路",
        "迎宾大道",
        "学院路",
    ),
    *("滨河路", "环城东路", "环城西路", "高新大道", "商贸街", "望江路"),
)
_BUILDINGS = ("", "科技园", "商务大厦", "创业中心", "广场", "产业园", "国际中心")
_OWNERS_PHONE_PPM, _SAME_ROOM_PPM, _EMAIL_PPM = 550_000, 350_000, 300_000
_SIGN_INS_A_MONTH = 1.2


@dataclass(frozen=True)
class Contacts:
    """Of each company: address, phone, device, and the house where the address is, by number; equal numbers are the same one.

    Numbers of phones and devices below the number of persons are those persons'.
    """

    address: Ints
    phone: Ints
    device: Ints
    house: Ints


@dataclass(frozen=True)
class SignIns(Frame):
    """A device, an account, and the second of the sign-in."""

    device: Ints
    account: Ints
    second: Ints


def drawn(params: Params, firms: Firms, people: People, shared: Shared) -> Contacts:
    """Return the contacts of the companies, with what is shared put in the place of their own."""
    rng, count = stream(params.seed, "contacts"), len(firms)
    owner = np.arange(count) + len(people)
    owner[: params.companies] = people.owner
    first_own = np.where(owner < len(people), owner, 0)
    same_room = chance(rng, count, _SAME_ROOM_PPM) & (owner < len(people))
    address = np.where(same_room, first_own, np.arange(count) + len(people))
    phone = np.where(chance(rng, count, _OWNERS_PHONE_PPM), owner, np.arange(count) + len(people))
    device = owner.copy()
    beyond = len(people) + count
    for what, column in ((ADDRESS, address), (PHONE, phone), (DEVICE, device)):
        of = shared.take(shared.what == what)
        column[of.firm] = beyond + np.abs(of.group) * 2 + (of.group < 0)
    of = shared.take(shared.what == ROOM)
    house = address.copy()
    house[of.firm] = beyond + np.abs(of.group) * 2 + (of.group < 0)
    return Contacts(address, phone, device, house)


def addresses(params: Params, firms: Firms, at: Contacts) -> pa.Array:
    """Return the text of each company's address; companies of one number have one text, those of one house differ in the room."""
    rng = stream(params.seed, "addresses")
    _, first, place = np.unique(at.house, return_index=True, return_inverse=True)
    count = first.size
    road, house = words(_ROADS, weighted(rng, np.arange(len(_ROADS), 0, -1), count)), rng.integers(1, 900, count)
    building = words(_BUILDINGS, weighted(rng, (40, 12, 14, 12, 8, 10, 4), count))
    text = joined(words(regions.PLACES, firms.region[first]), road, pa.array(house).cast(pa.string()), "号", building)
    return joined(text.take(pa.array(place)), _rooms(rng, at, place), "室")


def _rooms(rng: np.random.Generator, at: Contacts, house: Ints) -> pa.Array:
    """Return the number of each company's room: one for each address, no two addresses of one house in the same."""
    _, first, place = np.unique(at.address, return_index=True, return_inverse=True)
    floor, room = rng.integers(1, 30, first.size), rng.integers(1, 30, first.size)
    _, sizes = np.unique(house[first], return_counts=True)
    several = sizes[np.unique(house[first], return_inverse=True)[1]] > 1
    nth = rank_within(house[first])
    # 60 rooms on a floor of a house that many share
    number = np.where(several, (nth // 60 + 1) * 100 + nth % 60 + 1, floor * 100 + room)
    return digits(number, 4).take(pa.array(place))


def emails(params: Params, phone: Ints) -> pa.Array:
    """Return an e-mail address for some companies, null for others; it goes with the phone."""
    rng = stream(params.seed, "emails")
    domain = words(("163.example", "qq.example", "mail.example"), phone % 3)
    text = joined(digits(phone * 618_033_989 % 10**9, 9, "u"), "@", domain)
    return pa.array(text.to_numpy(zero_copy_only=False), pa.string(), mask=~chance(rng, phone.size, _EMAIL_PPM))


def sign_ins(params: Params, calendar: Calendar, firms: Firms, contacts: Contacts, opened: Ints) -> SignIns:
    """Return how companies sign in to their main accounts: some days a month, from the company's device."""
    rng = stream(params.seed, "sign-ins")
    low = np.clip(opened[: len(firms)] + 1, 0, params.days)
    high = np.clip(firms.closed, low, params.days)
    expected = np.where(firms.role == ORDINARY, _SIGN_INS_A_MONTH * (high - low) / 30.0, 0.0)
    firm, _ = counted(rng.poisson(expected))
    day = calendar.drawn(rng, low[firm], high[firm])
    found = SignIns(contacts.device[firm], firm, day * DAY + seconds(rng, firm.size))
    return found.take(np.argsort(found.second, kind="stable"))


def phone_texts(number: Ints) -> pa.Array:
    """Return mobile numbers."""
    return codes.phone(number)


def device_texts(number: Ints) -> pa.Array:
    """Return the numbers under which online banking knows devices."""
    return digits(number * 6_180_339_887 % 10**10, 14, "DEV")
