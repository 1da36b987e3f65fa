"""A local stand-in for TMDB's API v3 over real HTTP: synthetic or recorded films, for demos, tests,
benchmarks.

Start with `python -m demo serve`, or in a test with `demo.server.StandIn`, whose module documents both.
"""
