"""Made-up files of every kind that people have, with the names and shapes of the published ones.

They are as long as real ones and hold nothing.
"""
