"""The command line's door: ``python generate.py text-to-video "a red car on a street" -o car.mp4``."""

import sys

from t2v.commands.generate import main

if __name__ == "__main__":
    sys.exit(main())
