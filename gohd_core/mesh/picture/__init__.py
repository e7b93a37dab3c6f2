"""What a picture shows: light, skin, blur, and what of it will suffer."""
