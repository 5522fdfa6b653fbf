// The shares that a party holds itself, the biggest first.
//
// $party  id of the company or person
//
// Example: kgfraud query --name holdings -p party=company:crm:1001
MATCH (:Party {id: $party})-[held:HOLDS_SHARES]->(company:Company)
RETURN company.id AS company, company.name AS name, held.share_ppm AS share_ppm,
       held.subscribed_fen AS subscribed_fen, held.valid_from AS since, held.source AS source
ORDER BY share_ppm IS NULL, share_ppm DESC, company
