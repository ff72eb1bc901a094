"""One pure function a format: a report or a plan in, text out. Nothing here counts, sorts, or asks the environment."""
