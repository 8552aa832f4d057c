"""Where the roots live: each rule's domain condition, as an equivalence."""
