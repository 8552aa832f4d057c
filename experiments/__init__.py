"""Experiments: a question, a model and data give tidy rows; tables and figures read those rows."""
