"""What people ask of a workspace by day: a party of the last run, an earlier run again, the store as it is, the quarantine."""
