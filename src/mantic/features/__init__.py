"""From a frame to a Schema, and from a Schema to numbers."""
