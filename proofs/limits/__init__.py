"""Rules as limits of rules."""
