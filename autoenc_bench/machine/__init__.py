"""What runs the suite: who it is, on how many threads, how fast just now, and what it can do at most."""
