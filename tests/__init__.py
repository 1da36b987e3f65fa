"""The tests; a package of its own name, as a library brings one that is called `tests`, too."""
