"""The derived relationships and labels: what follows from declared ones."""

from __future__ import annotations

from kg.schema.model import EdgeType, NodeType, Property

_PARTY = ("Company", "Person")
_FEN = Property("amount_fen", "int64", "sum of the amounts", "fen")
_RULES = (
    Property("rules", "string", "rule set under which it follows"),
    Property("rules_version", "string", "version of the rule set"),
)
_EVIDENCE = Property("evidence", "string", "ids of the evidence, a JSON list")

DERIVED_NODES = (
    NodeType(
        "Flag",
        "a signed risk flag as it was sent to the loan system",
        (
            Property("reason", "string", "reason code"),
            Property("severity", "string", "low, medium or high"),
            Property("action", "string", "watch or refer"),
            Property("amount_fen", "int64", "amount at stake", "fen"),
            Property("rule", "string", "rule"),
            Property("rule_version", "string", "version of the rule"),
            _EVIDENCE,
        ),
        derived=True,
    ),
    NodeType(
        "Group",
        "parties that a bank must see as one client, under one rule set",
        (
            *_RULES,
            Property("head", "string", "who heads it: ids joined by ＋"),
            Property("members", "int64", "number of parties"),
            Property("limit", "string", "the limit that leaves least; null = no exposures or capital are known"),
            Property("used_fen", "int64", "exposure that counts under that limit", "fen"),
            Property("headroom_fen", "int64", "what that limit leaves, negative where it is passed", "fen"),
            Property("breach", "bool", "whether that limit is passed"),
            Property(
                "split", "bool", "whether it passes a limit of groups only with those tied to it by strong evidence that no register tells"
            ),
        ),
        derived=True,
    ),
    NodeType(
        "LargeExposure",
        "a client to whom the bank's exposure is large or passes a limit of single clients, under one rule set",
        (
            *_RULES,
            Property("party", "string", "id of the client"),
            Property("limit", "string", "the limit of single clients that leaves least"),
            Property("used_fen", "int64", "exposure that counts under that limit", "fen"),
            Property("headroom_fen", "int64", "what that limit leaves, negative where it is passed", "fen"),
            Property("breach", "bool", "whether that limit is passed"),
            Property("large", "bool", "whether the exposure must be reported as a large one"),
        ),
        derived=True,
    ),
    NodeType(
        "Ring",
        "parties among whom money goes round again and again",
        (
            Property("members", "int64", "number of members, accounts that nobody or several own included"),
            Property("support", "int64", "number of cycles that it is made of"),
            Property("first_at", "timestamp", "time of its first transfer"),
            Property("last_at", "timestamp", "time of its last transfer"),
            _FEN,
            Property("event", "string", "what it was when it was found last: new, kept, split or merged"),
            Property("earlier", "string", "ids of the earlier rings that it came from, a JSON list; null = none"),
        ),
        derived=True,
    ),
)

DERIVED_EDGES = (
    EdgeType(
        "PAID",
        "what one party's accounts paid to another's in a month",
        _PARTY,
        _PARTY,
        (
            Property("month", "date", "first day of the month"),
            _FEN,
            Property("currency", "string", "ISO 4217 code"),
            Property("count", "int64", "number of transfers"),
        ),
        derived=True,
    ),
    EdgeType(
        "INVOICED",
        "what a seller invoiced to a buyer in a month, by goods code",
        ("Company",),
        ("Company",),
        (
            Property("month", "date", "first day of the month"),
            Property("goods", "string", "goods code"),
            Property("net_fen", "int64", "net amount of the valid invoices", "fen"),
            Property("tax_fen", "int64", "tax of the valid invoices", "fen"),
            Property("count", "int64", "number of invoices, void ones included"),
            Property("void_count", "int64", "number of void invoices"),
        ),
        derived=True,
    ),
    EdgeType(
        "SUPPLIES",
        "a company supplies another, by what was traded in twelve months",
        ("Company",),
        ("Company",),
        (
            Property("amount_fen", "int64", "net amount of the twelve months up to the business date's", "fen"),
            Property("measure", "string", "what the amount is from: invoices, payments or contracts"),
            Property("sales_ppm", "int64", "part of all that the supplier sells to companies", "ppm"),
            Property("purchases_ppm", "int64", "part of all that the buyer buys of companies", "ppm"),
            Property("months", "int64", "months of the twelve in which the measure shows trade"),
            Property("since", "date", "first day of the first month of which any source tells"),
            Property("said_by", "string", "which sources tell of it in the twelve months"),
        ),
        derived=True,
    ),
    EdgeType(
        "CONTROLS",
        "a party controls a company, alone or jointly with others",
        _PARTY,
        ("Company",),
        (
            Property("votes_ppm", "int64", "votes in the company of all that the controller commands", "ppm"),
            Property("certain", "bool", "false where it depends on shares that are not known or sum above the whole"),
            Property("jointly", "string", "ids of all who control together, joined by ＋; null = alone"),
            *_RULES,
            _EVIDENCE,
        ),
        derived=True,
    ),
    EdgeType(
        "BENEFICIALLY_OWNS",
        "a natural person is a beneficial owner of a company",
        ("Person",),
        ("Company",),
        (
            Property("test", "string", "capital, income_or_votes, control or manager"),
            Property("low_ppm", "int64", "least of what the test speaks of", "ppm"),
            Property("high_ppm", "int64", "most of what the test speaks of", "ppm"),
            Property("path_count", "int64", "chains of holdings from the person to the company"),
            Property("certain", "bool", "false where it depends on shares that are not known or sum above the whole"),
            *_RULES,
        ),
        derived=True,
    ),
    EdgeType(
        "DEPENDS_ON",
        "a party depends economically on another",
        _PARTY,
        _PARTY,
        (
            Property("test", "string", "receipts, spending, guarantee, repayment_source, …"),
            Property("ppm", "int64", "part of a year's receipts, or of its spending", "ppm"),
            Property("months", "int64", "months in which there was any"),
        ),
        derived=True,
    ),
    EdgeType(
        "MEMBER_OF",
        "a party belongs to a group of connected clients",
        _PARTY,
        ("Group",),
        (
            Property("role", "string", "head, controlled or dependent"),
            Property("because", "string", "why it belongs to it"),
            *_RULES,
        ),
        derived=True,
    ),
    EdgeType(
        "LINKED_TO",
        "evidence ties two parties together beside equity",
        _PARTY,
        _PARTY,
        (
            Property("kind", "string", "kind of evidence"),
            Property("strength", "int64", "how much this evidence says", "ppm"),
            Property("score", "int64", "how much all evidence between the two says together", "ppm"),
            Property("level", "string", "strong, medium or weak, by the score"),
            Property("disclosed", "bool", "whether the register tells of the tie"),
            _EVIDENCE,
        ),
        derived=True,
    ),
    EdgeType(
        "IN_RING",
        "a party is a member of a ring of money",
        _PARTY,
        ("Ring",),
        (
            Property("role", "string", "leader, with whom most cycles start, or member"),
            Property("amount_fen", "int64", "what the member got by the ring's transfers", "fen"),
            Property("because", "string", "in how many cycles of how many hops"),
            _EVIDENCE,
        ),
        derived=True,
    ),
    EdgeType("FLAGGED", "a party bears a flag", _PARTY, ("Flag",), derived=True),
)
