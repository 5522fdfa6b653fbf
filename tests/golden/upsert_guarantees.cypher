UNWIND $rows AS row
MATCH (a:Party {id: row[1]})
MATCH (b:Loan {id: row[2]})
MERGE (a)-[r:GUARANTEES {id: row[0]}]->(b)
SET r += {
  amount_fen: row[3],
  source: row[4],
  record_id: row[5],
  valid_from: CASE WHEN row[6] IS NULL THEN null ELSE $day_0 + duration({days: row[6]}) END,
  valid_to: CASE WHEN row[7] IS NULL THEN null ELSE $day_0 + duration({days: row[7]}) END,
  first_run: row[8],
  last_run: row[9]
}
RETURN count(*) AS written;
