// Circles of payments that come back to a company, found by hand: each payment at the time of the one before it or later, none of them
// much smaller than the first.
//
// $party  id of the company or person
// $days   within how many days; default 30
// $share  least part of the first amount that each payment carries; default 0.8
// $rows   how many to show; default 100
//
// Example: kgfraud query --name money_circles -p party=company:crm:1001
MATCH (:Party {id: $party})-[:OWNS_ACCOUNT]->(start:Account)-[first:TRANSFERRED_TO]->(next:Account)
MATCH (next)-[moved:TRANSFERRED_TO*1..5]->(start)
WHERE all(hop IN moved WHERE hop.at >= first.at AND hop.at <= first.at + duration({days: $days})
                         AND hop.amount_fen >= first.amount_fen * $share)
  AND all(place IN range(1, size(moved) - 1) WHERE moved[place - 1].at <= moved[place].at)
  AND all(place IN range(0, size(moved) - 2) WHERE endNode(moved[place]) <> start)
RETURN first.at AS first_at, [start.id, next.id] + [hop IN moved | endNode(hop).id] AS accounts,
       [first.amount_fen] + [hop IN moved | hop.amount_fen] AS amounts_fen, moved[-1].at AS last_at
ORDER BY first_at, accounts
LIMIT $rows
