"""LoRAs and their kin: changes to a model's weights in a file, which go in exactly and come out again.

spelling.py and places.py bring names of files and of networks together, layers.py has the formulas, read.py
reads a file, merge.py puts several into a model at strengths of their own.
"""
