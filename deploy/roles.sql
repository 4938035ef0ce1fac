-- The roles of a new PostgreSQL database, named advisory; neither is a superuser, and the superuser
-- that runs this loses its password, so that no one signs in as it over the network. `migrate`,
-- `backup` and `restore` connect as the owner; web, deliver and check as `advisory`, which can
-- read and write rows and change no table.
\getenv password SERVICE_PASSWORD
\getenv owner_password POSTGRES_PASSWORD
CREATE ROLE advisory_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE advisory LOGIN PASSWORD :'password';
ALTER DATABASE advisory OWNER TO advisory_owner;
\connect advisory
ALTER SCHEMA public OWNER TO advisory_owner;
GRANT USAGE ON SCHEMA public TO advisory;
ALTER DEFAULT PRIVILEGES FOR ROLE advisory_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO advisory;
ALTER DEFAULT PRIVILEGES FOR ROLE advisory_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO advisory;
ALTER ROLE CURRENT_USER PASSWORD NULL;
