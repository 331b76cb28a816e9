"""What the notebooks hand to the learner: predict boxes, exercises with their judges, one facade each."""
