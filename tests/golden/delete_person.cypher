UNWIND $ids AS id
MATCH (n:Person {id: id})
WHERE any(label IN labels(n) WHERE label IN ['Company', 'Account', 'Loan', 'Address', 'Contact', 'Device', 'CourtCase', 'Flag', 'Group', 'LargeExposure', 'Ring'])
REMOVE n:Person;
UNWIND $ids AS id
MATCH (n:Person {id: id})-[r:HOLDS_SHARES|REPRESENTS|OFFICER_OF|KIN_OF|OWNS_ACCOUNT|TRANSFERRED_TO|BORROWED|PAID_OUT_TO|REPAID|GUARANTEES|LOCATED_AT|REACHED_AT|SIGNED_IN|PARTY_TO|PAID|INVOICED|SUPPLIES|CONTROLS|BENEFICIALLY_OWNS|DEPENDS_ON|MEMBER_OF|LINKED_TO|IN_RING|FLAGGED]-()
WHERE r.id IS NOT NULL
DELETE r;
UNWIND $ids AS id
MATCH (n:Person {id: id})
WHERE any(label IN labels(n) WHERE NOT label IN ['Person', 'Party'])
OR any(key IN keys(n) WHERE NOT key IN ['id', 'name', 'blocked', 'customer_ref', 'stub', 'source', 'record_id', 'valid_from', 'valid_to', 'first_run', 'last_run']) OR EXISTS { (n)--() }
SET n:KgfraudFormer, n += {name: null, blocked: null, customer_ref: null, stub: null, source: null, record_id: null, valid_from: null, valid_to: null, first_run: null, last_run: null}
REMOVE n:Person:Party;
UNWIND $ids AS id
MATCH (n:Person {id: id})
DELETE n;
