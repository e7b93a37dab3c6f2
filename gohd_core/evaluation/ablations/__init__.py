"""Ablations of the paper's Tables 4 to 7 on the stylised world."""
