// Where a loan's money went: transfers that follow the pay-out in order of time, at most four, each of a good part of its amount.
//
// $loan   id of the loan
// $days   within how many days of the pay-out; default 30
// $share  least part of the paid-out amount that each transfer carries; default 0.8
// $rows   how many to show; default 200
//
// Example: kgfraud query --name loan_trace -p loan=loan:crm:L1
MATCH (:Loan {id: $loan})-[paid:PAID_OUT_TO]->(first:Account)
MATCH (first)-[moved:TRANSFERRED_TO*1..4]->(last:Account)
WHERE all(hop IN moved WHERE hop.at >= paid.at AND hop.at <= paid.at + duration({days: $days})
                         AND hop.amount_fen >= paid.amount_fen * $share)
  AND all(place IN range(1, size(moved) - 1) WHERE moved[place - 1].at <= moved[place].at)
OPTIONAL MATCH (owner:Party)-[:OWNS_ACCOUNT]->(last)
RETURN paid.amount_fen AS paid_out_fen, size(moved) AS transfers, [first.id] + [hop IN moved | endNode(hop).id] AS accounts,
       [hop IN moved | hop.amount_fen] AS amounts_fen, moved[-1].at AS last_at, collect(DISTINCT owner.id) AS owners
ORDER BY last_at, accounts
LIMIT $rows
