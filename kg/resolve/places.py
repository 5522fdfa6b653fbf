"""Addresses, contacts, devices and courts: where parties meet."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kg.resolve.view import EdgeView, NodeView, edge, node


def _address(records: ir.Table) -> ir.StringValue:
    plain = records.address.re_replace(r"[\s,;，；。.\-]+", "").upper()
    return ibis.literal("address:text:") + plain.hexdigest("sha256").substr(0, 24)


def _contact(records: ir.Table, column: str) -> ir.StringValue:
    return ibis.literal(f"contact:{column}:") + records[column]


def addresses(records: ir.Table) -> ir.Table:
    """Return the addresses; two that differ by spaces and punctuation only are one."""
    stated = records.filter(records.address.notnull())
    return node("Address", stated, _address(stated), text="address")


def located(records: ir.Table) -> ir.Table:
    """Return who is at which address."""
    stated = records.filter(records.address.notnull())
    return edge("LOCATED_AT", stated.mutate(_at=_address(stated)), "party", "_at", use="use")


def contacts(records: ir.Table, column: str) -> ir.Table:
    """Return the phones or e-mails, as tokens."""
    stated = records.filter(records[column].notnull())
    return node("Contact", stated, _contact(stated, column), kind=ibis.literal(column))


def reached(records: ir.Table, column: str) -> ir.Table:
    """Return who is reached at which phone or e-mail."""
    stated = records.filter(records[column].notnull())
    return edge("REACHED_AT", stated.mutate(_at=_contact(stated, column)), "party", "_at", part=f"/{column}", use="use")


def devices(records: ir.Table) -> ir.Table:
    """Return what registrations say of devices."""
    return node("Device", records, records.device, type="type", blocked="blocked")


def sign_ins(records: ir.Table) -> ir.Table:
    """Return which device signed in to which account."""
    return edge("SIGNED_IN", records, "device", "account", at="at")


def court_cases(records: ir.Table) -> ir.Table:
    """Return what sources say of court cases."""
    same = ("court", "cause", "filed_on", "result", "amount_fen")
    return node("CourtCase", records, records.court_case, **{c: c for c in same})


def parties(records: ir.Table) -> ir.Table:
    """Return who takes part in a court case."""
    return edge("PARTY_TO", records, "party", "court_case", role="role")


VIEWS = (
    NodeView("Address", "contacts", addresses),
    EdgeView("LOCATED_AT", "contacts", located),
    NodeView("Contact", "contacts", lambda records: contacts(records, "phone")),
    NodeView("Contact", "contacts", lambda records: contacts(records, "email")),
    EdgeView("REACHED_AT", "contacts", lambda records: reached(records, "phone")),
    EdgeView("REACHED_AT", "contacts", lambda records: reached(records, "email")),
    NodeView("Device", "devices", devices),
    EdgeView("SIGNED_IN", "sign_ins", sign_ins),
    NodeView("CourtCase", "court_cases", court_cases),
    EdgeView("PARTY_TO", "court_cases", parties),
)
