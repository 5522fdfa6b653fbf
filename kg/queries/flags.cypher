// The flags that a party bears, the gravest first.
//
// $party  id of the company or person
//
// Example: kgfraud query --name flags -p party=company:crm:1001
MATCH (:Party {id: $party})-[:FLAGGED]->(flag:Flag)
RETURN flag.id AS flag, flag.reason AS reason, flag.severity AS severity, flag.action AS action, flag.amount_fen AS amount_fen,
       flag.rule AS rule, flag.rule_version AS rule_version, flag.evidence AS evidence
ORDER BY CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, flag
