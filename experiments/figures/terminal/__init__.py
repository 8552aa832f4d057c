"""What questions say in the terminal: a file for each question that has a table of its own. They read rows only."""
