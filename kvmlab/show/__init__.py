"""What the learner sees: pure SVG with a text twin, and thin widgets in a room of their own."""
