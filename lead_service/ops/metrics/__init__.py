"""What Prometheus is told, where METRICS_PORT is set: counts and times, nothing about anybody.

Each web process counts its requests in files of a folder that all of them share. The process that
starts them serves the sum, and what the database says of mails and calls, at an address of its
own: the public one knows nothing of it.
"""
