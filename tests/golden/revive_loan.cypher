UNWIND $rows AS row
MATCH (n:KgfraudFormer {id: row[0]})
SET n:Loan
REMOVE n:KgfraudFormer;
