#!/bin/bash
# Runs inside the machine, once after each boot. Every line of results goes to the second serial port:
# `ok WHAT SECONDS`, `FAILED WHAT: WHY`, and `end` as the last.
out=/dev/ttyS1
stty -F $out raw 2>/dev/null
test=/root/test
# The first step is the boot itself.
begun=$(awk -v now="$(date +%s.%N)" '{ printf "%.3f", now - $1 }' /proc/uptime)
ok() {
	local now
	now=$(date +%s.%N)
	printf 'ok %s %.1f\n' "$1" "$(awk "BEGIN { print $now - $begun }")" >$out
	begun=$(date +%s.%N)
}
failed() {
	printf 'FAILED %s: %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ' | cut -c1-900)" >$out
	journalctl -b -u scopeward --no-pager -o cat 2>/dev/null | tail -12 | cut -c1-300 | sed 's/^/note /' >$out
	begun=$(date +%s.%N)
}
# check WHAT COMMAND…: ok where the command succeeds
check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then ok "$what"; else failed "$what" "$said"; fi
}
# waits COMMAND…: at most a minute, until it succeeds
waits() {
	for _ in $(seq 120); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.5
	done
	"$@"
}
is_active() { systemctl is-active scopeward.service && systemctl is-active scopeward.socket; }
sessions() { scopeward sessions --json | grep -c '"state":"running"'; }
has_session() { [ "$(sessions)" = "$1" ]; }
pins() { find /sys/fs/bpf/scopeward -mindepth 1 2>/dev/null; }
start_agent() {
	rm -rf "$1" && install -d -o dev "$1"
	runuser -u dev -- scopeward run --scope held -- sh $test/agent.sh "$1" >"$1.log" 2>&1 &
	agent=$!
	waits test -s "$1/tries" || cat "$1.log"
}
# Only tries that were answered by killing; no other outcome, and more than some.
only_killed() {
	touch "$1/enough"
	# Asked in a subshell, whose child the agent is not.
	waits test -s "$1/outcomes"
	local seen
	seen=$(cat "$1/outcomes")
	echo "outcomes: $seen; $(tail -3 "$1.log")"
	[ "$(wc -l <"$1/outcomes")" = 1 ] && echo "$seen" | awk '{ exit !($2 == 137 && $1 > 5) }'
}

if [ ! -e /var/lib/install-test ]; then
	ok boot
	check install dpkg -i $test/old.deb
	check active waits is_active
	check answers waits scopeward status
	check enabled sh -c 'systemctl is-enabled scopeward.service && systemctl is-enabled scopeward.socket'
	check group getent group scopeward
	check directories sh -c '[ "$(stat -c %a /run/scopeward /var/lib/scopeward | tr "\n" " ")" = "755 700 " ]'
	check doctor scopeward doctor
	check man test -s /usr/share/man/man1/scopeward.1.gz
	check observe sh -c 'scopeward status --json | grep -q "\"mode\":\"observe\""'
	useradd -m dev
	install -o dev -m 600 /dev/null /home/dev/.netrc
	echo "machine example login dev password secret" >/home/dev/.netrc
	cp $test/held.toml /etc/scopeward/scopes/held.toml
	touch /var/lib/install-test
	sync
	systemctl reboot
	exit 0
fi

ok reboot
check active-after-reboot waits is_active
early() {
	ours=$(systemctl show -P ActiveEnterTimestampMonotonic scopeward.service)
	basic=$(systemctl show -P ActiveEnterTimestampMonotonic basic.target)
	echo "scopeward $ours, basic.target $basic"
	[ "$ours" -gt 0 ] && [ "$ours" -le "$basic" ]
}
check before-basic-target early
# Before 253, systemd does not know notify-reload, and takes it for notify.
type=notify-reload
[ "$(systemctl --version | awk 'NR == 1 { print $2 }')" -ge 253 ] || type=notify
check notify test "$(systemctl show -P Type scopeward.service)" = $type
start_agent /var/tmp/one
check session-of-a-user has_session 1
check watchdog-is-fed waits sh -c '[ "$(systemctl show -P WatchdogTimestampMonotonic scopeward.service)" -gt "$(systemctl show -P ActiveEnterTimestampMonotonic scopeward.service)" ]'
echo 'mood = 1' >>/etc/scopeward/scopes/codex.toml
check a-bad-reload-fails sh -c '! systemctl reload scopeward'
sed -i '/^mood/d' /etc/scopeward/scopes/codex.toml
check reload systemctl reload scopeward

before=$(systemctl show -P MainPID scopeward.service)
check upgrade dpkg -i $test/new.deb
check active-after-upgrade waits is_active
check another-process test "$(systemctl show -P MainPID scopeward.service)" != "$before"
check session-after-upgrade waits has_session 1
kill -9 "$(systemctl show -P MainPID scopeward.service)"
check active-after-a-crash waits scopeward status
check session-after-a-crash waits has_session 1
check restart systemctl restart scopeward.service
check session-after-restart waits has_session 1
check no-free-act only_killed /var/tmp/one

start_agent /var/tmp/two
check session-before-stop has_session 1
check stop systemctl stop scopeward.socket scopeward.service
check nothing-is-pinned sh -c '! find /sys/fs/bpf/scopeward -mindepth 1 2>/dev/null | grep .'
: >/var/tmp/two/tries
sleep 2
check let-go grep -q '^0$' /var/tmp/two/tries
touch /var/tmp/two/enough
wait $agent

check start systemctl start scopeward.socket scopeward.service
start_agent /var/tmp/three
check remove dpkg -r scopeward
check removed sh -c '! command -v scopeward && ! systemctl cat scopeward.service && [ ! -e /run/scopeward ] && ! find /sys/fs/bpf/scopeward -mindepth 1 2>/dev/null | grep .'
check events-stay test -d /var/lib/scopeward/events
touch /var/tmp/three/enough
wait $agent
check purge dpkg -P scopeward
left() {
	find /etc/scopeward /var/lib/scopeward /run/scopeward /usr/share/doc/scopeward /etc/systemd/system -name '*scopeward*' -o -path '/etc/scopeward/*' 2>/dev/null |
		grep -v -e '^/etc/scopeward$' -e '^/etc/scopeward/scopes$'
	getent group scopeward
}
only_the_administrators() {
	local found
	found=$(left)
	echo "left: $found"
	[ "$found" = /etc/scopeward/scopes/held.toml ]
}
check purged only_the_administrators
journalctl -b -u scopeward -p warning --no-pager -o cat | tail -30 | sed 's/^/note /' >$out
echo end >$out
sync
systemctl poweroff
