"""Metrics for Prometheus, if METRICS_PORT is set: counts and times, without personal data.

Each web process counts its requests in files of a shared folder. The process that
starts them serves the sums, and counts of emails and calls from the database, at an address of its
own, apart from the public one.
"""
