"""The built-in decoder: motion layers that warp the source, refined and composed at full size."""
