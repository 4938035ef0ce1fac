"""How docs/ becomes the site, and what the service reads of it."""
