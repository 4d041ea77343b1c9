"""Real Keras objects from an Experiment: model, head, target, loss, feed and metric."""
