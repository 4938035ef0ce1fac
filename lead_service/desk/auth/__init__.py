"""Sign in to the desk."""
