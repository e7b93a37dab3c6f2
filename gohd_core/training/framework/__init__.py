"""Framework of every training: configuration, loop, checkpoints, optimisers, data, log and export."""
