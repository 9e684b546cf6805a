#!/bin/sh
# level.sh PROGRAM LEVEL: the built-in device at one instruction set; 77 (skipped) where the machine lacks it.
if ! "$1" --list | grep -q "^device cpu:0 $2 "; then
    echo "this machine has no $2"
    exit 77
fi
exec "$1" --device cpu:0 --isa "$2"
