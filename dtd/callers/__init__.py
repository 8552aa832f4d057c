"""How the package treats those who call it: their arithmetic, their functions, their terminals."""
