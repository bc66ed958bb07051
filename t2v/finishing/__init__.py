"""What is done to finished frames: steadied along a clip's flow, doubled in size."""
