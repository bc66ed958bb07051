"""The method: Algorithm 1 of arXiv 2303.13439, and all that its one denoising loop is made of.

It may import checks. options.py is without torch, for those who only ask.
"""
