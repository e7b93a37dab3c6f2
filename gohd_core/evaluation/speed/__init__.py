"""The speed benchmark: stages, frames, lengths, memory, beside the official formulation."""
