"""Did it regress? Verdicts on recorded runs, and two sides measured live."""
