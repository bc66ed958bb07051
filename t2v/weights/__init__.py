"""Where weights come from, how they are loaded, and one sentence for each way in which they cannot.

It may import diffusion, devices, program and checks. source.py and family.py are without torch.
"""
