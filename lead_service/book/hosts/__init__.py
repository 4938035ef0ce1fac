"""Hosts: their hours, days off and calendar feed."""
