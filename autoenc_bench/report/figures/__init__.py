"""Draw plain data: every figure of a report, and the parts that figures share."""
