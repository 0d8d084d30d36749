"""The inputs room: sheets and files checked, sites harmonised, chunks planned."""
