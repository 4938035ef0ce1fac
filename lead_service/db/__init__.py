"""The database: engine, base class and schema."""
