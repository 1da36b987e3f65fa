"""`python -m metabase`."""

from metabase.cli import main

if __name__ == "__main__":
    main()
