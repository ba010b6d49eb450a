#!/bin/sh
# Run by the image of PostgreSQL when its volume is new.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres \
  -v service_password="$DATABASE_PASSWORD" \
  -v owner_password="$DATABASE_OWNER_PASSWORD" \
  -v monitor_password="$DATABASE_MONITOR_PASSWORD" \
  -v temporal_password="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
create role second_step login password :'service_password';
create role second_step_owner login password :'owner_password';
create database second_step owner second_step_owner;
create role monitor login password :'monitor_password';
grant pg_monitor to monitor;
grant connect on database second_step to second_step, monitor;
create role temporal login password :'temporal_password';
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke connect on database second_step, temporal, temporal_visibility from public;
SQL
