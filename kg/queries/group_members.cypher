// The groups of connected clients that a party belongs to, with all their members, why each belongs, and what the group's limit leaves.
//
// $party  id of the company or person
//
// Example: kgfraud query --name group_members -p party=company:crm:1001
MATCH (:Party {id: $party})-[:MEMBER_OF]->(group:Group)
MATCH (party:Party)-[member:MEMBER_OF]->(group)
RETURN group.id AS group, party.id AS party, party.name AS name, member.role AS role, member.because AS because,
       group.used_fen AS used_fen, group.headroom_fen AS headroom_fen, group.breach AS breach
ORDER BY group, role DESC, party
