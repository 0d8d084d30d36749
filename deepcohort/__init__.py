"""DeepCohort: deep models for the genomes of cohorts."""

__version__ = "0.1.0"
