"""What registers state of who holds whom, as all that is derived from it reads it: holdings, coalitions, nominees, trees."""
