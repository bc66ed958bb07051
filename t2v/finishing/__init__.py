"""What is done to decoded frames before they are written: twice the size, with crisp outlines."""
