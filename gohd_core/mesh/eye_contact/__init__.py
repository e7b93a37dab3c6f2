"""Real videos look at the viewer: irises moved and drawn, lids that follow."""
