// Who controls a company under the bank's rule set, alone or jointly, the most votes first.
//
// $company  id of the company
//
// Example: kgfraud query --name controllers -p company=company:crm:1001
MATCH (party:Party)-[control:CONTROLS]->(:Company {id: $company})
RETURN party.id AS party, party.name AS name, control.votes_ppm AS votes_ppm, control.certain AS certain,
       control.jointly AS jointly, control.rules AS rules, control.evidence AS evidence
ORDER BY votes_ppm DESC, party
