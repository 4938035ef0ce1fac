"""The framework of docs/framework.yml: its types, how it is loaded and checked."""
