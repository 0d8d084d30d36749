"""Imputation of untyped genotypes from a phased reference panel."""
