UNWIND $rows AS row
MATCH (a)-[r:REPAID {id: row[0]}]->(b)
WHERE a.id <> row[1] OR b.id <> row[2]
DELETE r;
