"""How runs and sweeps live on disk: identity, provenance, record, log, and what resumes."""
