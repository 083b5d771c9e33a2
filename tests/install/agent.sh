#!/bin/sh
# Tries to read a credential all the time, and says at the end how often a try ended how.
while ! test -e "$1/enough"; do
	cat /home/dev/.netrc >/dev/null 2>&1
	echo $?
done >"$1/tries"
sort "$1/tries" | uniq -c >"$1/outcomes"
