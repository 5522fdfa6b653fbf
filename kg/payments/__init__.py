"""What money did, as all that looks for schemes reads it: transfers by owner, pay-outs and what was paid of them, legs."""
