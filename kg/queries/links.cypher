// Whom evidence beside equity ties a party to, the strongest first; hidden_control points at who may be behind a company.
//
// $party  id of the company or person
// $score  least score, in ppm; default 400000
//
// Example: kgfraud query --name links -p party=company:crm:1001
MATCH (:Party {id: $party})-[link:LINKED_TO]-(other:Party)
WHERE link.score >= $score
RETURN other.id AS party, other.name AS name, link.kind AS kind, link.strength AS strength, link.score AS score,
       link.level AS level, link.disclosed AS disclosed, link.evidence AS evidence
ORDER BY score DESC, strength DESC, party
