"""The typed configuration: a wrong key, type or choice fails before any work.

There is one module for each config group, and a dataclass in it is the schema of one option under ``conf/``. A run works
on these dataclasses, never on raw config nodes. ``run`` joins the groups; ``options`` finds the module behind an option;
``targets`` and ``architectures`` find what a config names by ``_target_``.
"""
