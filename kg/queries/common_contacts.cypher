// The addresses, phones and e-mails that two parties have in common.
//
// $first   id of one party
// $second  id of the other
//
// Example: kgfraud query --name common_contacts -p first=company:crm:1001 -p second=person:crm:7
MATCH (:Party {id: $first})-[one:LOCATED_AT|REACHED_AT]->(place:Address|Contact)<-[other:LOCATED_AT|REACHED_AT]-(:Party {id: $second})
RETURN place.id AS id, coalesce(place.kind, 'address') AS kind, place.text AS text, one.use AS first_use, other.use AS second_use
ORDER BY kind, id
