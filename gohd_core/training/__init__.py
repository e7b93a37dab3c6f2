"""Training of every module as the paper trains it (supplement B and C), under Hugging Face accelerate."""
