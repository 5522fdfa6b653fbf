// The members of a ring of money, what each got by it, and what the members paid one another while it ran.
//
// $ring   id of the ring
//
// Example: kgfraud query --name ring -p ring=ring:0123
MATCH (ring:Ring {id: $ring})<-[member:IN_RING]-(party:Party)
OPTIONAL MATCH (party)-[:OWNS_ACCOUNT]->(:Account)-[paid:TRANSFERRED_TO]->(:Account)<-[:OWNS_ACCOUNT]-(other:Party)-[:IN_RING]->(ring)
WHERE other <> party AND paid.at >= ring.first_at AND paid.at <= ring.last_at
RETURN party.id AS party, party.name AS name, member.role AS role, member.amount_fen AS got_fen, member.because AS because,
       count(paid) AS payments, sum(paid.amount_fen) AS paid_fen
ORDER BY role, party
