#!/usr/bin/env bash
# Tries the files in cron/ with the real cron daemon, set up line by line as their heads tell: the jobs fire, the state
# changes, nothing is mailed or logged when nothing happens; and what comes of a held lock, a rotated log, an outage.
#
# Needs Rust, Debian's cron and logrotate, and root or sudo. Takes three minutes. All of it happens in a copy of this
# machine's files in memory (an overlay) that is gone at the end: a cron that runs here, and its files, are left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ ${1:-} != inside ]]; then
    cargo build --locked --bin plex-prune --example sandbox
    work=$(mktemp -d)
    trap 'rmdir "$work"' EXIT
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" unshare --mount --mount-proc --pid --fork --kill-child \
        "$BASH" "tests/deployment/${0##*/}" inside "$work" "${CARGO_TARGET_DIR:-target}/debug"
    exit
fi

trap 'exit 1' INT TERM
trap 'fail "line $LINENO"' ERR
work=$2
built=$3
export PATH=$PATH:/usr/sbin
mount -t tmpfs tmpfs "$work"
root=$work/root
mkdir "$work"/{root,upper,overlay,tmp}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

notes=$root/notes # what was called, and what was mailed
log=$root/var/log/plex-prune/plex-prune.log
state=$root/var/lib/plex-prune/state.json
own=$root/home/guest/.plex-prune # the user crontab is guest's
canary='> echo canary$'

# --- Helpers

fail() {
    echo "FAILED: $*"
    tail -n 99 "$work"/*.out "$log"* "$own"/*.log* "$notes"/* 2>&1
    exit 1
}

# expect WHAT COMMAND...: it is so.
expect() {
    "${@:2}" || fail "$1"
    echo "ok: $1"
}

# await WHAT COMMAND...: it is so soon, or after the next full minute.
await() {
    local deadline=$((SECONDS + 80))
    until "${@:2}"; do
        ((SECONDS < deadline)) || fail "$1 (waited in vain)"
        sleep 0.2
    done
    echo "ok: $1"
}

inside() { chroot "$root" "$@"; }
as_guest() { inside runuser -l guest -c "cd /clone && set -ex && $1"; }
holds() { grep -qF -- "$2" "$1"; }                                    # FILE TEXT
lacks() { ! holds "$@"; }                                             # FILE TEXT
is() { [[ $(inside stat -c '%U %a' "$1") == "$2" ]]; }                # PATH "OWNER MODE"
called() { (($(grep -cxF -- "$2" "$notes/calls") >= $1)); }           # TIMES "USER PROGRAM ARGUMENTS EXIT-CODE"
mailed() { (($(cat "$notes"/*.mail | grep -c "^Subject: Cron <$2") >= $1)); } # TIMES "USER@.*> COMMAND"
no_mail_but() { ! grep -h '^Subject: ' "$notes"/*.mail | grep -v "${@/#/-e}"; } # SUBJECT...
jobs_left() { (($(pgrep -c -P "$cron") == $1)); }                     # HOW-MANY
typed() { sed -n "$2 s/^#     //p" "cron/$1"; }                       # FILE LINES: what its head tells to type

# reschedule FILE SCHEDULE...: these jobs are to run every minute.
reschedule() {
    local text schedule
    text=$'\n'$(<"$1")
    for schedule in "${@:2}"; do
        [[ $text == *$'\n'"$schedule "* ]] || fail "$1 has no job at $schedule"
        text=${text/$'\n'"$schedule "/$'\n* * * * * '}
    done
    printf '%s\n' "$text" >"$1"
}

# reschedule_guest SCHEDULE...: the same in guest's crontab.
reschedule_guest() {
    inside crontab -u guest -l >"$root/tmp/crontab"
    reschedule "$root/tmp/crontab" "$@"
    inside crontab -u guest /tmp/crontab
}

# fill_in ENV-FILE SANDBOX: its settings, but STATE_DIR as it is, and no VIP who is a typo.
fill_in() {
    local settings
    settings=$(grep '^STATE_DIR=' "$1"; sed 's/^VIP_NAMES=.*/VIP_NAMES=mom/' "$work/$2/plex-prune.env")
    printf '%s\n' "$settings" >"$1"
}

# --- Syntax

sed -E 's/^([0-9*][^ ]* +([^ ]+ +){4})plex-prune /\1/' cron/plex-prune >"$work/no-user"
expect "all jobs for cron.d name their user" test "$(diff cron/plex-prune "$work/no-user" | grep -c '^>')" = 3
expect "cron takes the file for cron.d, its users apart" crontab -n "$work/no-user"
expect "cron takes the crontab" crontab -n cron/crontab

# --- A machine with no other jobs, a mail program that keeps the mails, and a plex-prune that notes how it ended

rm -f "$root"/etc/cron.d/* "$root"/var/spool/cron/crontabs/* "$root/usr/sbin/sendmail" "$root/usr/bin/plex-prune"
rm -rf "$root"/{etc,var/lib,var/log}/plex-prune
: >"$root/etc/crontab"
mkdir -m 1777 "$notes"
install -m 666 /dev/null "$notes/calls"
cat >"$root/usr/sbin/sendmail" <<'PROGRAM'
#!/bin/sh
mail=$(mktemp /notes/XXXXXX) && cat >"$mail" && mv "$mail" "$mail.mail"
PROGRAM
cat >"$root/usr/local/bin/plex-prune" <<'PROGRAM'
#!/bin/sh
/usr/lib/plex-prune "$@"
code=$?
echo "$(id -un) $0 $* $code" >>/notes/calls
exit $code
PROGRAM
chmod 755 "$root/usr/sbin/sendmail" "$root/usr/local/bin/plex-prune"
cp "$built/plex-prune" "$root/usr/lib/"
mkdir "$root/clone"
cp -r cron examples "$root/clone/"
chmod -R a+rX "$root/clone"
inside useradd --create-home guest
install -D -t "$root/home/guest/.cargo/bin" "$root/usr/local/bin/plex-prune"

declare -A sandbox
for name in system guest; do
    mkdir "$work/$name"
    TMPDIR=$work/tmp "$built/examples/sandbox" "$work/$name" >"$work/$name.out" 2>&1 &
    sandbox[$name]=$!
    await "there is a sandbox for $name" test -s "$work/$name.out"
done

# --- The set-up

{
    inside bash -exc "cd /clone; $(typed plex-prune '1,/Fill in/')"
    fill_in "$root/etc/plex-prune/plex-prune.env" system
    inside bash -exc "cd /clone; $(typed plex-prune '/Fill in/,$')"
} >"$work/setup-system.out" 2>&1 || fail "the set-up for cron.d"
{
    as_guest "$(typed crontab '1,/Fill in/')"
    fill_in "$own/plex-prune.env" guest
    as_guest "$(typed crontab '/Fill in/,$')"
} >"$work/setup-guest.out" 2>&1 || fail "the set-up of the crontab"
expect "the system's settings are for plex-prune alone" is /etc/plex-prune/plex-prune.env "plex-prune 600"
expect "guest's settings are for guest alone" is /home/guest/.plex-prune/plex-prune.env "guest 600"

# --- First minute: the passes of both find something to do

echo '* * * * * root echo canary' >"$root/etc/cron.d/canary"
reschedule "$root/etc/cron.d/plex-prune" '*/2  * * * *' '1,31 * * * *'
reschedule_guest '*/2  * * * *' '1,31 * * * *'
env -i PATH="$PATH" chroot "$root" cron -f &
cron=$!
system_program="plex-prune /usr/local/bin/plex-prune -q"
guest_program="guest .cargo/bin/plex-prune -q"
for program in "$system_program" "$guest_program"; do
    await "$program welcome" called 1 "$program welcome 0"
    await "$program sweep" called 1 "$program sweep 0"
done
await "no job is left" jobs_left 0
for file in "$log" "$own/plex-prune.log"; do
    for event in 'first pass: recorded' 'warned dora' 'removed rita'; do
        expect "${file#"$root"}: $event" holds "$file" "$event"
    done
done
for name in system guest; do
    await "$name: mails went out, shares ended" grep -qz 'plex DELETE .*mail rita@' "$work/$name.out"
done
expect "the state is plex-prune's alone" is /var/lib/plex-prune/state.json "plex-prune 600"
expect "its folder, too" is /var/lib/plex-prune "plex-prune 700"
expect "the log's folder is plex-prune's" is /var/log/plex-prune "plex-prune 750"
expect "guest's state is guest's alone" is /home/guest/.plex-prune/state.json "guest 600"
expect "cron mails what a job prints" mailed 1 'root@.*> echo canary'
expect "cron mails nothing else" no_mail_but "$canary"

# --- Second minute: nothing happens any more. Something holds guest's lock. The daily verify, with all well

cp "$log" "$work/log"
cp "$own/plex-prune.log" "$work/own-log"
cp "$state" "$work/state"
exec 9<"$own/state.json.lock"
flock 9
reschedule "$root/etc/cron.d/plex-prune" '37 8 * * *'
await "welcome in a quiet minute" called 2 "$system_program welcome 0"
await "sweep in a quiet minute" called 2 "$system_program sweep 0"
await "verify when all is well" called 1 "$system_program verify 0"
await "only guest's passes are left, waiting for the lock" jobs_left 2
expect "they have noted that they ran" lacks "$state" "$(grep last_inactivity_scan "$work/state")"
expect "they have logged nothing" cmp "$work/log" "$log"
expect "cron mails nothing but the canary, verify neither" no_mail_but "$canary"
expect "the canary sang again" mailed 2 'root@.*> echo canary'

# --- Third minute: guest's lock stays held, and is let go. The system's log is rotated, its services are down

inside logrotate --state /tmp/rotated --force /etc/logrotate.d/plex-prune || fail "logrotate"
kill "${sandbox[system]}"
reschedule_guest '37 8 * * *' '39 8 1 * *'
await "welcome gives up waiting for the lock" called 1 "$guest_program welcome 75"
await "sweep gives up waiting for the lock" called 1 "$guest_program sweep 75"
exec 9<&-
await "welcome has the lock again" called 2 "$guest_program welcome 0"
await "sweep has the lock again" called 2 "$guest_program sweep 0"
await "guest's verify" called 1 "$guest_program verify 0"
await "welcome in an outage" called 1 "$system_program welcome 1"
await "sweep in an outage" called 1 "$system_program sweep 1"
await "verify in an outage" called 1 "$system_program verify 1"
await "no job is left" jobs_left 0

expect "guest's log was put aside" holds "$own/plex-prune.log.1" 'removed rita'
cat "$own"/plex-prune.log* >"$work/own-log-now"
expect "guest's log says who held the lock" test "$(grep -c 'another pass is under way' "$work/own-log-now")" = 2
expect "and nothing else" cmp "$work/own-log" <(grep -v 'another pass is under way' "$work/own-log-now")

expect "the system's log was rotated" cmp "$work/log" "$log.1"
expect "the new one is plex-prune's" is /var/log/plex-prune/plex-prune.log "plex-prune 644"
expect "it tells of the outage" holds "$log" 'error: '

expect "cron mails nothing but what the system's verify found, not guest's, with all well" \
    no_mail_but "$canary" '<plex-prune@[^ ]*> seen='
in_outage=$(grep -l '✗' "$notes"/*.mail) || fail "no mail tells of the outage"
expect "the mail about the outage goes to root" holds "$in_outage" 'To: root'
expect "it shows its ✗" grep -qi '^Content-Type: .*utf-8' "$in_outage"
echo "cron: all is well"
