"""A record -> what people look at: tables, figures, one HTML page and one in Markdown."""
