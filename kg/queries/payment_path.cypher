// The shortest way by which money went from one party's accounts to another's, at most six transfers, in whatever order of time.
//
// $payer  id of the party that paid
// $payee  id of the party that was paid in the end
//
// Example: kgfraud query --name payment_path -p payer=company:crm:1001 -p payee=company:crm:1003
MATCH (:Party {id: $payer})-[:OWNS_ACCOUNT]->(first:Account), (:Party {id: $payee})-[:OWNS_ACCOUNT]->(last:Account)
WHERE first <> last
MATCH path = shortestPath((first)-[:TRANSFERRED_TO*..6]->(last))
RETURN length(path) AS transfers, [account IN nodes(path) | account.id] AS accounts,
       [moved IN relationships(path) | moved.amount_fen] AS amounts_fen, [moved IN relationships(path) | moved.at] AS at
ORDER BY transfers
LIMIT 1
