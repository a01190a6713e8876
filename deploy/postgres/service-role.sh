#!/bin/sh
# Run once, by the server that fills a new database: the role of Pacemark's processes, which may only log in.
# What it may do with the tables, `pacemark migrate` grants.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$POSTGRES_SERVICE_PASSWORD" --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
CREATE ROLE pacemark_service LOGIN PASSWORD :'password';
SQL
