"""What every training shares: configuration, loop, checkpoints, optimisers, data, log and export."""
