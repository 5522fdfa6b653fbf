// Who represents a company or holds an office in it, and how many companies each of them represents in all.
//
// $company  id of the company
//
// Example: kgfraud query --name representatives -p company=company:crm:1001
MATCH (person:Person)-[role:REPRESENTS|OFFICER_OF]->(:Company {id: $company})
RETURN person.id AS person, person.name AS name, type(role) AS role, role.position AS position, role.valid_from AS since,
       COUNT { (person)-[:REPRESENTS]->(:Company) } AS companies_represented
ORDER BY role DESC, person
