"""Accounts, transfers, loans, their flows and guarantees."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kg.resolve.view import EdgeView, NodeView, edge, node


def accounts(records: ir.Table) -> ir.Table:
    """Return what registrations say of accounts."""
    return node("Account", records, records.account, type="type", opened_on="opened_on", blocked="blocked")


def owners(records: ir.Table) -> ir.Table:
    """Return who owns an account."""
    return edge("OWNS_ACCOUNT", records, "owner", "account")


def transfers(records: ir.Table) -> ir.Table:
    """Return the transfers between accounts."""
    same = ("amount_fen", "currency", "at", "purpose", "channel")
    return edge("TRANSFERRED_TO", records, "payer", "payee", **{c: c for c in same})


def loans(records: ir.Table) -> ir.Table:
    """Return what registrations say of loans."""
    same = ("amount_fen", "balance_fen", "status", "purpose", "due_on", "customer_ref")
    return node("Loan", records, records.loan, **{c: c for c in same})


def borrowers(records: ir.Table) -> ir.Table:
    """Return who applied for or took a loan."""
    return edge("BORROWED", records, "borrower", "loan", amount_fen="amount_fen", at="at")


def pay_outs(records: ir.Table) -> ir.Table:
    """Return the loan money paid out to accounts."""
    return edge("PAID_OUT_TO", records.filter(records.direction == "paid_out"), "loan", "account", amount_fen="amount_fen", at="at")


def repayments(records: ir.Table) -> ir.Table:
    """Return what accounts repaid."""
    return edge("REPAID", records.filter(records.direction == "repaid"), "account", "loan", amount_fen="amount_fen", at="at")


def guarantees(records: ir.Table) -> ir.Table:
    """Return who guarantees whose debt, or which loan where one is named."""
    aimed = records.mutate(_debt=ibis.coalesce(records.loan, records.beneficiary))
    return edge("GUARANTEES", aimed, "guarantor", "_debt", amount_fen="amount_fen")


VIEWS = (
    NodeView("Account", "accounts", accounts),
    EdgeView("OWNS_ACCOUNT", "accounts", owners),
    EdgeView("TRANSFERRED_TO", "transfers", transfers),
    NodeView("Loan", "loans", loans),
    EdgeView("BORROWED", "loans", borrowers),
    EdgeView("PAID_OUT_TO", "loan_flows", pay_outs),
    EdgeView("REPAID", "loan_flows", repayments),
    EdgeView("GUARANTEES", "guarantees", guarantees),
)
