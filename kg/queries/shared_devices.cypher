// Devices from which several accounts are used, those with the most accounts first, with the accounts' owners.
//
// $accounts  at least how many accounts; default 2
// $rows      how many to show; default 50
//
// Example: kgfraud query --name shared_devices
MATCH (device:Device)-[:SIGNED_IN]->(account:Account)
WITH device, collect(DISTINCT account) AS accounts
WHERE size(accounts) >= $accounts
WITH device, accounts ORDER BY size(accounts) DESC, device.id LIMIT $rows
UNWIND accounts AS account
OPTIONAL MATCH (owner:Party)-[:OWNS_ACCOUNT]->(account)
RETURN device.id AS device, count(DISTINCT account) AS accounts, collect(DISTINCT account.id) AS account_ids,
       collect(DISTINCT owner.id) AS owners
ORDER BY accounts DESC, device
