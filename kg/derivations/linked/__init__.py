"""Behind `kg.derivations.linked_parties`: the tables, the kinds of evidence and how each is found, and how they add up."""
