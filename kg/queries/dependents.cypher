// Who depends on a party economically, and on whom it depends itself.
//
// $party  id of the company or person
//
// Example: kgfraud query --name dependents -p party=company:crm:1001
MATCH (dependent:Party)-[on:DEPENDS_ON]->(other:Party)
WHERE $party IN [dependent.id, other.id]
RETURN dependent.id AS dependent, dependent.name AS name, other.id AS on, other.name AS on_name, on.test AS test,
       on.ppm AS ppm, on.months AS months
ORDER BY ppm DESC, dependent, on
