# Prints the Makefile's targets: "##@ heading" lines and "target: … ## what it does" lines, in their order.
BEGIN { print "make TARGET [VARIABLE=value …]" }
/^##@ / { print "\n" substr($0, 5) }
/^[a-z][a-z-]*:.* ## / {
    target = $0; sub(/:.*/, "", target)
    what = $0; sub(/.* ## /, "", what)
    printf "  %-11s %s\n", target, what
}
