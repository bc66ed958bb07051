"""The app's door: ``python app.py`` serves the page on http://127.0.0.1:7860."""

import sys

from t2v.page.serve import main

if __name__ == "__main__":
    sys.exit(main())
