# What the demo's agent does with its day; its twin outside any session does the same at the same time.
# After each deed its name and exit status go to $OUT.

did() {
    echo "$1 $2" >>"$OUT"
}

cd "$WORK" || exit 1

git clone --quiet "$ORIGIN" repository 2>/dev/null && cd repository && git checkout --quiet -b "$WHO" &&
    echo "$WHO was here" >>notes.txt && git add notes.txt && git commit --quiet -m "Note who was here" &&
    git push --quiet origin "$WHO" 2>/dev/null
did git $?

cd "$WORK" || exit 1

python3 -c '
import json, urllib.request
lines = open("repository/notes.txt").read().splitlines()
page = urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%s/" % __import__("os").environ["LISTED"],
    data=json.dumps({"lines": len(lines)}).encode())).read()
open("answer", "wb").write(page)
'
did python3 $?

curl --silent --show-error --fail --max-time 10 --output page "http://127.0.0.1:$LISTED/$WHO"
did listed $?

curl --silent --max-time 10 --output stolen-page "http://127.0.0.1:$UNLISTED/$WHO"
did unlisted $?

# The name says nothing; it is a symbolic link to a credential file.
cat build-settings.txt >loot 2>/dev/null
did credential $?

perl -e 'open(my $file, ">", "perl-ran"); print $file "yes\n"' 2>/dev/null
did denied-program $?

exit 42
