"""What a person sees: blocks, charts as data, and their renderers."""
