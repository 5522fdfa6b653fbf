MATCH (a)-[r:TRANSFERRED_TO]->(b)
WHERE r.id IS NOT NULL
RETURN
  r.id AS id,
  a.id AS src,
  b.id AS dst,
  CASE WHEN r.amount_fen IS :: INTEGER THEN r.amount_fen END AS amount_fen,
  CASE WHEN r.currency IS :: STRING THEN r.currency END AS currency,
  CASE WHEN r.at IS :: ZONED DATETIME THEN duration.inSeconds($time_0, r.at).microseconds END AS at,
  CASE WHEN r.purpose IS :: STRING THEN r.purpose END AS purpose,
  CASE WHEN r.channel IS :: STRING THEN r.channel END AS channel,
  CASE WHEN r.source IS :: STRING THEN r.source END AS source,
  CASE WHEN r.record_id IS :: STRING THEN r.record_id END AS record_id,
  CASE WHEN r.valid_from IS :: DATE THEN duration.inDays($day_0, r.valid_from).days END AS valid_from,
  CASE WHEN r.valid_to IS :: DATE THEN duration.inDays($day_0, r.valid_to).days END AS valid_to,
  CASE WHEN r.first_run IS :: STRING THEN r.first_run END AS first_run,
  CASE WHEN r.last_run IS :: STRING THEN r.last_run END AS last_run,
  [x IN [
    CASE WHEN r.amount_fen IS :: INTEGER THEN null ELSE 'amount_fen' END,
    CASE WHEN r.currency IS :: STRING THEN null ELSE 'currency' END,
    CASE WHEN r.at IS :: ZONED DATETIME THEN null ELSE 'at' END,
    CASE WHEN r.purpose IS :: STRING THEN null ELSE 'purpose' END,
    CASE WHEN r.channel IS :: STRING THEN null ELSE 'channel' END,
    CASE WHEN r.source IS :: STRING THEN null ELSE 'source' END,
    CASE WHEN r.record_id IS :: STRING THEN null ELSE 'record_id' END,
    CASE WHEN r.valid_from IS :: DATE THEN null ELSE 'valid_from' END,
    CASE WHEN r.valid_to IS :: DATE THEN null ELSE 'valid_to' END,
    CASE WHEN r.first_run IS :: STRING THEN null ELSE 'first_run' END,
    CASE WHEN r.last_run IS :: STRING THEN null ELSE 'last_run' END
  ] WHERE x IS NOT NULL] AS _strange
ORDER BY id;
