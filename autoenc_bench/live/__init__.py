"""Two sides measured live: checked out, run by turns, and watched until the verdict is clear."""
