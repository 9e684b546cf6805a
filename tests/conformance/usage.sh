#!/bin/sh
# usage.sh PROGRAM: exit statuses and the last line, which scripts rely on.
wrong=0

# expect STATUS ARGUMENT...
expect() {
    wanted=$1
    shift
    "$program" "$@" >/dev/null 2>&1
    status=$?
    if [ $status -ne "$wanted" ]; then
        echo "hone-conformance $*: exit status $status, not $wanted"
        wrong=1
    fi
}

program=$1
expect 0 --help
expect 0 --list
expect 0 --device cpu --isa scalar --operation add --seed 7 --threads 3
expect 0 --device cpu:0 --isa scalar --operation copies --json
expect 2 --bad
expect 2 add
expect 2 --threads 0
expect 2 --operation nothing
expect 2 --device nothing
expect 2 --device cpu --isa nothing
expect 2 --module /nonexistent/hone-nothing.so
expect 2 --option nothing
last=$("$program" --device cpu --isa scalar --operation embedding --case 3 | tail -n 1)
[ "$last" = "3 passed, 0 failed" ] || { echo "last line: $last"; wrong=1; }
exit $wrong
