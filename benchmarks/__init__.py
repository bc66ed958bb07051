"""This project beside diffusers' TextToVideoZeroPipeline: ``python -m benchmarks`` writes RESULTS.md."""
