// The biggest flows of money from party to party in a month.
//
// $month  the month, as 2022-01
// $rows   how many to show; default 20
//
// Example: kgfraud query --name biggest_flows -p month=2022-01
MATCH (payer:Party)-[paid:PAID]->(payee:Party)
WHERE paid.month = date($month)
RETURN payer.id AS payer, payer.name AS payer_name, payee.id AS payee, payee.name AS payee_name,
       paid.amount_fen AS amount_fen, paid.currency AS currency, paid.count AS transfers
ORDER BY amount_fen DESC, payer, payee
LIMIT $rows
