UNWIND $ids AS id
MATCH ()-[r:REPAID {id: id}]->()
DELETE r;
