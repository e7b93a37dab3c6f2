"""The released files, one module per component: LAYOUTS, the NETWORK class and its CONFIG class."""
