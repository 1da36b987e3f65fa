"""The marts and views as files, for whoever does not live in SQL: Parquet or CSV, with a data package.

dbt's manifest says which relations there are, what they mean and what their keys are; PostgreSQL says which
types their columns have. All files are of one snapshot of the database.
"""
