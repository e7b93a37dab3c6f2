"""Measures of the paper and benchmarks with ground truth: what `gohd evaluate` and `gohd benchmark` run."""
