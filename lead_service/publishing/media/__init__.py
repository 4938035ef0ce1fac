"""What is not text: pictures, portraits, drawings and the typeface."""
