// Clients whose exposure is large or passes a limit of single clients, those beyond their limit first, then those nearest to it.
//
// $rows   how many to show; default 100
//
// Example: kgfraud query --name large_exposures
MATCH (exposure:LargeExposure)
MATCH (party:Party {id: exposure.party})
RETURN party.id AS party, party.name AS name, party.customer_ref AS customer_ref, exposure.limit AS bound_by, exposure.used_fen AS used_fen,
       exposure.headroom_fen AS headroom_fen, exposure.breach AS breach, exposure.large AS large, exposure.rules AS rules
ORDER BY headroom_fen, party
LIMIT $rows
