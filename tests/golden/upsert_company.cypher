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
  kind: row[8],
  listed: row[9],
  blocked: row[10],
  customer_ref: row[11],
  stub: row[12],
  source: row[13],
  record_id: row[14],
  valid_from: CASE WHEN row[15] IS NULL THEN null ELSE $day_0 + duration({days: row[15]}) END,
  valid_to: CASE WHEN row[16] IS NULL THEN null ELSE $day_0 + duration({days: row[16]}) END,
  first_run: row[17],
  last_run: row[18]
}
RETURN count(*) AS written;
