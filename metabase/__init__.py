"""Dashboards as files: `dashboards/*.yml` and `cards/*.sql`, checked against dbt and applied to Metabase."""
