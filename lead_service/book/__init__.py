"""Book: which starts are open, and claiming one of them."""
