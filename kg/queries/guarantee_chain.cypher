// For whose debts a party stands in the end: every chain of guarantees from it, at most five long, with the smallest amount on the way.
//
// $party  id of the guarantor
// $rows   how many to show; default 200
//
// Example: kgfraud query --name guarantee_chain -p party=company:crm:1001
MATCH path = (:Party {id: $party})-[:GUARANTEES*1..5]->(debtor)
RETURN debtor.id AS debtor, length(path) AS guarantees, [entity IN nodes(path) | entity.id] AS chain,
       reduce(least = null, given IN relationships(path) |
         CASE WHEN least IS NULL OR given.amount_fen < least THEN given.amount_fen ELSE least END) AS least_fen
ORDER BY guarantees, chain
LIMIT $rows
