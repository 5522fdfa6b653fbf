// All companies that a party controls under the bank's rule set, alone or jointly.
//
// $party  id of the company or person
//
// Example: kgfraud query --name controlled -p party=company:crm:1001
MATCH (:Party {id: $party})-[control:CONTROLS]->(company:Company)
RETURN company.id AS company, company.name AS name, control.votes_ppm AS votes_ppm, control.certain AS certain,
       control.jointly AS jointly, control.rules AS rules
ORDER BY votes_ppm DESC, company
