"""Between the lips: teeth and the inside of a mouth, own and made."""
