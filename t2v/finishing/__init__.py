"""What is done to decoded frames: steadied along a clip's flow, made twice as large."""
