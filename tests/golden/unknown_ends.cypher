UNWIND $rows AS row
WITH row WHERE NOT EXISTS { MATCH (:Party {id: row[1]}) } OR NOT EXISTS { MATCH (:Loan {id: row[2]}) }
RETURN row[0] AS id LIMIT 1;
