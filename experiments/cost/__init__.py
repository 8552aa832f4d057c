"""What an explanation costs: recipes of several libraries, fair clocks, peak memory, and cost along a network's axes."""
