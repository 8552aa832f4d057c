"""Audits: which roots were used, and are they roots?"""

from dtd.audit.audit import audit

__all__ = ["audit"]
