// The beneficial owners of a company, by which test each is one, between which bounds, and whether for certain.
//
// $company  id of the company
//
// Example: kgfraud query --name beneficial_owners -p company=company:crm:1001
MATCH (person:Person)-[owns:BENEFICIALLY_OWNS]->(:Company {id: $company})
RETURN person.id AS person, person.name AS name, owns.test AS test, owns.low_ppm AS low_ppm, owns.high_ppm AS high_ppm,
       owns.path_count AS path_count, owns.certain AS certain, owns.rules AS rules
ORDER BY high_ppm IS NULL, high_ppm DESC, person
