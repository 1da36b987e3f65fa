"""`make bench`: what the project costs, measured; figures are ratios within one run, as machines differ."""
