"""Run the service: commands, servers, checks, metrics, backups."""
