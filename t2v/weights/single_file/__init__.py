"""One file as model sites give it: what it is, told by its header alone, and how its parts are loaded.

header.py to shapes.py, vocabulary.py and checks.py are without torch: pickers and refusals come at once.
"""
