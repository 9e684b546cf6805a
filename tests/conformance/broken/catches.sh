#!/bin/sh
# catches.sh PROGRAM MODULE: conformance passes the wrapped oracle as it is, and reports every planted fault, in the
# operations where it is planted and for the reason it is one.
program=$1
module=$2
wrong=0

# check FAULT OPERATION PHRASE: one operation must fail, and say PHRASE.
check() {
    output=$("$program" --module "$module" --option fault="$1" --operation "$2")
    status=$?
    if [ $status -ne 1 ] || ! printf '%s\n' "$output" | grep -q -- "$3"; then
        printf 'fault %s in %s was not reported as "%s" (exit status %d):\n%s\n' "$1" "$2" "$3" $status "$output"
        wrong=1
    fi
}

if ! output=$("$program" --module "$module" --option fault=none --threads 1); then
    printf 'the wrapped oracle without a fault does not pass:\n%s\n' "$output"
    wrong=1
fi
check range attention 'operand 5.*got'
check range attention_backward 'operand [91].*got'
check triangle attention 'operand 5.*got'
check clear attention 'was to be left as it was'
check clear scatter_rows 'was to be left as it was'
check short linear 'operand 3.*got'
check round cast 'operand 1.*got'
check mask dropout 'operand 1.*got'
check correction adamw 'operand 0.*got'
check shrink add 'wants a workspace'
check copy copies 'is not what was there'
for operation in embedding_backward rms_norm_backward linear linear_backward rotary dropout head_logp_backward \
    sum_squares; do
    check overwrite $operation 'got'
    check add $operation 'got -\{0,1\}nan'
done
for operation in embedding rotary rms_norm_backward adamw cast scatter_rows; do
    check overrun $operation 'after the tensor'
    check unstable $operation 'repeated'
    check threads $operation 'with more threads'
done
for operation in embedding rms_norm add; do
    check padding $operation 'within the tensor'
    check input $operation '(input): byte'
    check workspace $operation 'wrote outside of its workspace'
done
[ $wrong -eq 0 ] && echo "every planted fault was reported"
exit $wrong
