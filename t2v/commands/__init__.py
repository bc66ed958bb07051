"""The command line: its options, one run read and checked, the run itself. It may import all but the page."""
