"""Benchmarks: every figure that the docs quote, each measured beside a peer in the same run."""
