"""The command line's door: ``python generate.py text-to-video "a red car on a street" -o car.mp4``."""

from t2v.commands.start import command

if __name__ == "__main__":
    command("generate.py")
