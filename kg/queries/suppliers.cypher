// The suppliers and the customers of a company by the trade of twelve months, the greatest first, and what part of each one's trade that is.
//
// $company  id of the company
// $rows     how many to show; default 100
//
// Example: kgfraud query --name suppliers -p company=company:crm:1001
MATCH (:Company {id: $company})-[trade:SUPPLIES]-(other:Company)
RETURN CASE startNode(trade) WHEN other THEN 'supplier' ELSE 'customer' END AS role, other.id AS company, other.name AS name,
       trade.amount_fen AS amount_fen, trade.sales_ppm AS sales_ppm, trade.purchases_ppm AS purchases_ppm,
       trade.months AS months, trade.since AS since, trade.measure AS measure, trade.said_by AS said_by
ORDER BY role DESC, amount_fen DESC, company
LIMIT $rows
