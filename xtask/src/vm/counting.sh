# Counts in each place: before the daemon, with it, beside a session, in a session.
set -e
count=/target/debug/count
$count without
mkdir -p /root/project
echo SECRET=1 >/root/project/.env
cat >/root/scope.toml <<SCOPE
name = "counted"
[[match]]
exe = "/nonexistent/agent"
[network]
default = "deny"
allow = ["127.0.0.1"]
[files]
default = "allow"
[[files.rule]]
paths = ["/root/project/.env", "/root/.ssh", "**/*.pem"]
response = "kill"
weight = 1
SCOPE
scopeward daemon >/root/daemon.log 2>&1 &
for _ in $(seq 600); do
    scopeward status >/dev/null 2>&1 && break
    sleep 0.2
done
$count idle
scopeward run --mode enforce --scope /root/scope.toml -- sh -c ': >/root/held; sleep 100000' &
for _ in $(seq 600); do
    test -e /root/held && break
    sleep 0.1
done
sleep 1
$count outside
scopeward run --mode enforce --scope /root/scope.toml -- $count inside
