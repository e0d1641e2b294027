"""Artifacts and what identifies them: content-addressed blobs, values as blobs, results under their fingerprint."""
