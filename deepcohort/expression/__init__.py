"""Predicted gene expression: each person's sequences around genes, sequence models, plain baselines."""
