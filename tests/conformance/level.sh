#!/bin/sh
# level.sh PROGRAM LEVEL [OPTION...]: the built-in device at one instruction set; 77 (skipped) where the machine lacks
# it.
program=$1 level=$2
shift 2
if ! "$program" --list | grep -q "^device cpu:0 $level "; then
    echo "this machine has no $level"
    exit 77
fi
exec "$program" --device cpu:0 --isa "$level" "$@"
