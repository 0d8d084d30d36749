"""Which population each person comes from, and which people of the panel to impute from."""
