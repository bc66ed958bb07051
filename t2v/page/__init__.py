"""The web page; nothing else knows Gradio. It may import all but the command line."""
