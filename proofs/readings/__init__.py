"""The passes that compute explanations, on exact entries: what they hand down is the Taylor terms at the roots."""
