// The tiers of suppliers behind a core firm: who sells to it, who sells to these, at most four, along links that are a good part of the supplier's sales.
//
// $company  id of the core firm
// $ppm      least part of a supplier's sales on each link; default 200000
// $rows     how many to show; default 500
//
// Example: kgfraud query --name supply_tiers -p company=company:crm:1001
MATCH path = (company:Company)-[:SUPPLIES*1..4]->(core:Company {id: $company})
WHERE company <> core AND all(link IN relationships(path) WHERE link.sales_ppm >= $ppm)
WITH company, path, reduce(part = 1.0, link IN relationships(path) | part * link.sales_ppm / 1000000) AS part
ORDER BY length(path), part DESC, [entity IN nodes(path) | entity.id]
WITH company, collect(path)[0] AS way, collect(part)[0] AS part, count(*) AS ways
RETURN length(way) AS tier, company.id AS company, company.name AS name, relationships(way)[0].sales_ppm AS sales_ppm,
       toInteger(round(part * 1000000)) AS to_core_ppm, [entity IN nodes(way) | entity.id] AS chain, ways
ORDER BY tier, to_core_ppm DESC, company
LIMIT $rows
