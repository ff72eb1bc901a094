"""Server-side apply: who owns which fields, what an apply changes, and with whom it conflicts (KEP-555)."""
