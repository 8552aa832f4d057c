"""The machine that a job runs on: its console, disk, memory, packages, threads and random numbers."""
