UNWIND $rows AS row
MERGE (n:Company {id: row[0]})
SET n:Party, n += {
  uscc: row[1],
  name: row[2],
  status: row[3],
  region: row[4],
  industry: row[5],
  founded_on: CASE WHEN row[6] IS NULL THEN null ELSE $day_0 + duration({days: row[6]}) END,
  capital_fen: row[7],
  blocked: row[8],
  customer_ref: row[9],
  stub: row[10],
  source: row[11],
  record_id: row[12],
  valid_from: CASE WHEN row[13] IS NULL THEN null ELSE $day_0 + duration({days: row[13]}) END,
  valid_to: CASE WHEN row[14] IS NULL THEN null ELSE $day_0 + duration({days: row[14]}) END,
  first_run: row[15],
  last_run: row[16]
}
RETURN count(*) AS written;
