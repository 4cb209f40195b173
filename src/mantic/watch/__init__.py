"""What became of a model since it answers: traffic, quality, drift, alerts. Acts on what has schema_ and predict."""
