"""The app's door: ``python app.py`` serves the page on http://127.0.0.1:7860."""

from t2v.page.start import app

if __name__ == "__main__":
    app("app.py")
