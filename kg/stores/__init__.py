"""Neo4j, by URL or the local one that the program runs for itself; ``kg.stores.connect`` says which a workspace has."""
