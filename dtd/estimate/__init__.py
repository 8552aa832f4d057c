"""What plans need from data: patterns, and trained min-max models."""
