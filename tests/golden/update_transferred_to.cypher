UNWIND $rows AS row
MATCH ()-[r:TRANSFERRED_TO {id: row[0]}]->()
SET r += {
  amount_fen: row[3],
  currency: row[4],
  at: CASE WHEN row[5] IS NULL THEN null ELSE $time_0 + duration({microseconds: row[5]}) END,
  purpose: row[6],
  channel: row[7],
  source: row[8],
  record_id: row[9],
  valid_from: CASE WHEN row[10] IS NULL THEN null ELSE $day_0 + duration({days: row[10]}) END,
  valid_to: CASE WHEN row[11] IS NULL THEN null ELSE $day_0 + duration({days: row[11]}) END,
  first_run: row[12],
  last_run: row[13]
}
RETURN count(*) AS written;
