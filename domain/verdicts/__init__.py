"""Verdicts: whether what is measured now differs from what was measured before, beyond the noise of measuring."""
