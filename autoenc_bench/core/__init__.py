"""The small model and data core: data, models, trainers, metrics, and a seam to each backend."""
