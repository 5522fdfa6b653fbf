// Core firms: buyers on which several suppliers depend, each of them smaller, that sell them so great a part of all that they sell.
//
// $ppm        part of a supplier's sales from which on it depends; default 500000
// $suppliers  at least how many such suppliers; default 3
// $rows       how many to show; default 50
//
// Example: kgfraud query --name core_firms -p suppliers=1
MATCH (buyer:Company)<-[trade:SUPPLIES]-(:Company)
WITH buyer, sum(trade.amount_fen) AS purchases_fen
MATCH (supplier:Company)-[link:SUPPLIES]->(buyer)
WHERE link.sales_ppm >= $ppm
WITH buyer, purchases_fen, supplier, link, COLLECT { MATCH (supplier)-[own:SUPPLIES]->(:Company) RETURN sum(own.amount_fen) }[0] AS sold_fen
WHERE sold_fen <= purchases_fen
WITH buyer, purchases_fen, supplier, link ORDER BY supplier.id
WITH buyer, purchases_fen, count(*) AS dependent, sum(link.amount_fen) AS from_dependent_fen, collect(supplier.id) AS suppliers
WHERE dependent >= $suppliers
RETURN buyer.id AS core, buyer.name AS name, dependent, purchases_fen, from_dependent_fen, suppliers
ORDER BY dependent DESC, purchases_fen DESC, core
LIMIT $rows
