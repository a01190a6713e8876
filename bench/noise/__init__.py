"""Measuring the noise of measurements: unchanged pages audited again and again, and pages made slower on purpose."""
