"""The question ``coverage``: which of today's architectures trace, and are they explained rightly?"""
