"""Documents in, verdicts out: bundles, engines, canonical input."""
