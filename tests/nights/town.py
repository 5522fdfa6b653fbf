"""A small town: a few dozen companies, persons and accounts, with planted schemes and a few bad rows."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from stdnum.cn import ric

from .bank import Bank, Rows

_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: An account that nobody registers.
UNKNOWN = "6222029999999999999"
TOWN: dict[str, dict[str, Any]] = {
    "companies": {
        "record_id": "company",
        "columns": {
            "company": "企业编号",
            "uscc": "统一社会信用代码",
            "name": "企业名称",
            "capital_fen": {"column": "注册资本", "unit": "万元"},
            "founded_on": "成立日期",
            "customer_ref": "客户号",
        },
    },
    "persons": {"record_id": "person", "columns": {"person": "人员编号", "cnid": "身份证号", "name": "姓名"}},
    "accounts": {
        "record_id": "account",
        "columns": {
            "account": "账号",
            "owner": "户主",
            "owner_kind": {"column": "户主类型", "values": {"企业": "company", "个人": "person"}},
        },
    },
    "loans": {
        "record_id": "loan",
        "columns": {"loan": "贷款号", "borrower": {"column": "借款企业", "label": "company"}, "amount_fen": "金额", "at": "时间"},
    },
    "shareholders": {
        "columns": {
            "holder": [{"column": "股东企业", "label": "company"}, {"column": "股东个人", "label": "person"}],
            "company": "企业编号",
            "share_ppm": "持股比例",
        },
    },
    "officers": {"columns": {"person": "人员编号", "company": "企业编号", "position": "职务", "legal_representative": "法定代表人"}},
    "contacts": {"columns": {"party": {"column": "企业编号", "label": "company"}, "address": "地址", "phone": "电话"}},
    "transfers": {
        "mode": "append",
        "columns": {"payer": "付款账号", "payee": "收款账号", "amount_fen": "金额", "at": "时间", "purpose": "用途"},
    },
    "loan_flows": {
        "columns": {"loan": "贷款号", "account": "账号", "amount_fen": "金额", "at": "时间"},
        "constants": {"direction": "paid_out"},
    },
    "guarantees": {
        "columns": {
            "guarantor": {"column": "担保人", "label": "company"},
            "beneficiary": {"column": "被担保人", "label": "company"},
            "amount_fen": "金额",
        }
    },
}


def settle(bank: Bank) -> None:
    """Give a bank the sources and the files of the town."""
    for name, rows in town_files().items():
        bank.source(name, **TOWN[name])
        bank.deliver(name, rows)


def village_files() -> dict[str, Rows]:
    """Return the files of the town's companies without its persons; few kinds make a quick night."""
    town = town_files()
    firms = {row["企业编号"] for row in town["companies"]}
    accounts = [row for row in town["accounts"] if row["户主"] in firms]
    numbers = {row["账号"] for row in accounts}
    paid = [row for row in town["transfers"] if row["付款账号"] in numbers and row["收款账号"] in numbers | {UNKNOWN}]
    return {"companies": town["companies"], "accounts": accounts, "transfers": paid, "guarantees": town["guarantees"]}


def settle_village(bank: Bank) -> None:
    """Give a bank the sources and the files of the village."""
    for name, rows in village_files().items():
        bank.source(name, **TOWN[name])
        bank.deliver(name, rows)


def town_files() -> dict[str, Rows]:
    """Return the town: 24 companies, 12 persons, a loan whose money returns, a circle of guarantees, three bad rows."""
    first = datetime(2024, 6, 1, 9, 0, 0)
    dice = random.Random(7)
    firms, people = [f"C{n:02}" for n in range(1, 25)], [f"P{n:02}" for n in range(1, 13)]
    accounts = {owner: f"62220200{n:011}" for n, owner in enumerate([*firms, *people])}

    def paid(payer: str, payee: str, yuan: str, hours: float, use: str = "货款") -> dict[str, str]:
        at = f"{first + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"
        return {"付款账号": accounts[payer], "收款账号": accounts[payee], "金额": yuan, "时间": at, "用途": use}

    everyday = [paid(*dice.sample(firms + people, 2), f"{dice.randint(1, 5_000_000) / 100:,.2f}", dice.randint(0, 600)) for _ in range(120)]
    round_trip = [paid("C01", "C05", "950,000", 48), paid("C05", "C09", "９４０，０００.００", 96), paid("C09", "C02", "93万元", 168)]
    bad = [paid("C03", "C04", "12,5O", 5), {**paid("C03", "C04", "5", 5), "收款账号": UNKNOWN}]
    twins = [paid("C06", "C07", "88.80", 30)] * 2
    return {
        "companies": [
            {
                "企业编号": firm,
                "统一社会信用代码": uscc(n) if n != 20 else uscc(n)[:-1] + "?",
                "企业名称": f"第{n}贸易有限公司",
                "注册资本": f"{n * 100:,}.5",
                "成立日期": f"2010-01-{n:02}",
                "客户号": f"K{n:04}",
            }
            for n, firm in enumerate(firms, 1)
        ],
        "persons": [{"人员编号": p, "身份证号": cnid(n), "姓名": f"张{n}"} for n, p in enumerate(people, 1)],
        "accounts": [{"账号": a, "户主": o, "户主类型": "企业" if o in firms else "个人"} for o, a in accounts.items() if o != "C20"],
        "loans": [
            {"贷款号": f"L{n}", "借款企业": firm, "金额": "100万元", "时间": f"2024-05-{n + 10} 10:00:00"}
            for n, firm in enumerate(firms[:6], 1)
        ],
        "shareholders": [
            {"股东企业": "C01", "股东个人": "", "企业编号": "C02", "持股比例": "60%"},
            *(
                {"股东企业": "", "股东个人": people[n % 12], "企业编号": firm, "持股比例": "40%"}
                for n, firm in enumerate(firms)
                if firm != "C20"
            ),
        ],
        "officers": [
            {"人员编号": people[(n * 5) % 12], "企业编号": firm, "职务": "董事长", "法定代表人": "是"}
            for n, firm in enumerate(firms)
            if firm != "C20"
        ],
        "contacts": [
            {"企业编号": firm, "地址": f"人民路{n % 5}号", "电话": f"1391234{n:04}"} for n, firm in enumerate(firms) if firm != "C20"
        ],
        "transfers": [t for t in everyday + round_trip + bad + twins if accounts["C20"] not in t.values()],
        "loan_flows": [
            {"贷款号": f"L{n}", "账号": accounts[firm], "金额": "1,000,000.00", "时间": f"2024-06-{n:02} 09:00:00"}
            for n, firm in enumerate(firms[:6], 1)
        ],
        "guarantees": [
            {"担保人": a, "被担保人": b, "金额": "50万元"}
            for a, b in (("C10", "C11"), ("C11", "C12"), ("C12", "C10"), ("C13", "C14"), ("C14", "C15"))
        ],
    }


def uscc(number: int) -> str:
    """Return a valid unified social credit code (GB 32100, with the organisation code of GB 11714 in it)."""
    body = f"{number:08}"
    rest = -sum(_ORGANISATION.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    code = f"91110000{body}{'X' if rest == 10 else rest}"
    return code + _USCC[-sum(_USCC.index(c) * 3**place % 31 for place, c in enumerate(code)) % 31]


def cnid(number: int, region: str = "110105") -> str:
    """Return a valid identity card number (GB 11643)."""
    born = date(1960, 1, 1) + timedelta(days=number // 1000 + 37 * (number % 400))
    body = f"{region}{born:%Y%m%d}{number % 1000:03}"
    return body + ric.calc_check_digit(body + "0")


# -- rows for banks that are smaller still -----------------------------------------------------------------------

FIRST, SECOND, THIRD = date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)


def firms(*names: str, **more: str) -> Rows:
    """Return companies by their own numbers."""
    return [{"company": name, "name": f"{name} Ltd", **more} for name in names]


def holding(holder: str, company: str, share: str = "30%") -> dict[str, str]:
    """Return a company's share of a company."""
    return {"holder": holder, "company": company, "share_ppm": share}


def payment(number: str, payer: str, payee: str, amount: str = "100", at: str = "2024-02-01 12:00:00") -> dict[str, str]:
    """Return a payment that is known by its number."""
    return {"number": number, "payer": payer, "payee": payee, "amount_fen": amount, "at": at}


def known(bank: Bank) -> list[str]:
    """Return the own numbers of the companies that Neo4j holds."""
    return [row["id"].rpartition(":")[2] for row in bank.ask("MATCH (n:Company) RETURN n.id AS id ORDER BY id")]
