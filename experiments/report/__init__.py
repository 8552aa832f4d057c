"""Reports: tables for LaTeX, figures for papers and one page to look at, from what runs have written; no model is built."""
