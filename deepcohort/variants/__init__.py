"""Germline variants called from aligned reads, and calls compared with a truth set."""
