"""Audits: which roots were used, and are they roots?"""

from dtd.audit.audit import audit
from dtd.audit.cost import audit_cost
from dtd.audit.regions import root_regions

__all__ = ["audit", "audit_cost", "root_regions"]
