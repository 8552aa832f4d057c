"""Movie reviews: words, their vectors, a network that reads them, and the relevance of each word."""
