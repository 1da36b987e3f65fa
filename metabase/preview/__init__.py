"""The dashboards as one HTML page that needs no Metabase and no network: ``python -m metabase.preview``."""
