UNWIND $rows AS row
MERGE (n:Account {id: row[0]})
SET n += {
  type: row[1],
  opened_on: CASE WHEN row[2] IS NULL THEN null ELSE $day_0 + duration({days: row[2]}) END,
  blocked: row[3],
  stub: row[4],
  source: row[5],
  record_id: row[6],
  valid_from: CASE WHEN row[7] IS NULL THEN null ELSE $day_0 + duration({days: row[7]}) END,
  valid_to: CASE WHEN row[8] IS NULL THEN null ELSE $day_0 + duration({days: row[8]}) END,
  first_run: row[9],
  last_run: row[10]
}
RETURN count(*) AS written;
