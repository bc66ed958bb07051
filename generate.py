"""The command line's door: ``python generate.py text-to-video "a red car on a street" -o car.mp4``."""

from t2v.commands.generate import main
from t2v.program import end

if __name__ == "__main__":
    end(main())
