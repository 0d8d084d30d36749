"""Augmentation: artificial people for labelled panels, and what they are worth and reveal."""
