"""Between the network and Gradio: which doors are open, to whom, and which files go out. Part of the page."""
