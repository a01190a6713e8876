"""The ways of measuring: the built-in probe, a local Lighthouse, and PageSpeed Insights."""
