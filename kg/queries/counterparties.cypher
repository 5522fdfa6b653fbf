// With whom a party's accounts exchanged money: each other account with its owners, what was paid to it and received from it.
//
// $party  id of the company or person
// $rows   how many to show; default 50
//
// Example: kgfraud query --name counterparties -p party=company:crm:1001
MATCH (:Party {id: $party})-[:OWNS_ACCOUNT]->(own:Account)
MATCH (own)-[moved:TRANSFERRED_TO]-(other:Account)
WITH other, moved, CASE WHEN startNode(moved) = own THEN 1 ELSE 0 END AS paid
WITH other, count(moved) AS transfers, sum(moved.amount_fen * paid) AS paid_fen,
     sum(moved.amount_fen * (1 - paid)) AS received_fen, max(moved.at) AS last_at
OPTIONAL MATCH (owner:Party)-[:OWNS_ACCOUNT]->(other)
RETURN other.id AS account, collect(owner.id) AS owners, transfers, paid_fen, received_fen, last_at
ORDER BY paid_fen + received_fen DESC, account
LIMIT $rows
