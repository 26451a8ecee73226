#!/usr/bin/env bash
# Checks the files in systemd/: that systemd understands every line, that the services are as closed as they should be,
# that the timers fire when they should, and that the units for one server and for several are the same but for names.
#
# Needs systemd-analyze (Debian's package systemd, 252 or newer); systemd need not run, and nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/../../systemd"

root=$(mktemp -d)
trap 'rm -r "$root"' EXIT
units=$root/etc/systemd/system

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# --- One and several servers, welcome and sweep: copies of each other, but for these lines

for pass in welcome sweep; do
    sed -e 's/^Description=plex-prune:/Description=plex-prune for %i:/' \
        -e 's|^EnvironmentFile=/etc/plex-prune/plex-prune.env$|EnvironmentFile=/etc/plex-prune/%i.env|' \
        -e 's/^StateDirectory=plex-prune$/StateDirectory=plex-prune-%i/' "plex-prune-$pass.service" |
        diff - "plex-prune-$pass@.service" || fail "plex-prune-$pass@.service is not plex-prune-$pass.service"
    sed 's/^Description=plex-prune:/Description=plex-prune for %i:/' "plex-prune-$pass.timer" |
        diff - "plex-prune-$pass@.timer" || fail "plex-prune-$pass@.timer is not plex-prune-$pass.timer"
done
sed -e '/^Description=/s/:.*/: warn and remove idle people/' \
    -e 's/^ExecStart=plex-prune -q welcome$/ExecStart=plex-prune -q sweep/' plex-prune-welcome.service |
    diff - plex-prune-sweep.service || fail "the services of welcome and sweep differ"

# --- A machine with these files, a program and what they refer to, with the lines for Discord in use

mkdir -p "$units" "$root/usr/lib/systemd/system" "$root/usr/local/bin"
install -m 644 ./*.service ./*.timer "$units"
for unit in plex-prune-{welcome,sweep}{,@cinema}; do
    mkdir "$units/$unit.service.d"
    sed -E 's/^#(LoadCredential|Environment)=/\1=/' secrets.conf >"$units/$unit.service.d/secrets.conf"
done
for target in basic network-online nss-lookup shutdown sysinit timers; do
    printf '[Unit]\nDescription=%s\n' $target >"$root/usr/lib/systemd/system/$target.target"
done
printf '#!/bin/sh\n' >"$root/usr/local/bin/plex-prune"
chmod 755 "$root/usr/local/bin/plex-prune"

services=(plex-prune-{welcome,sweep}{,@cinema}.service)
timers=(plex-prune-{welcome,sweep}{,@cinema}.timer)

systemd-analyze verify --man=no --recursive-errors=yes --root="$root" "${services[@]}" "${timers[@]}" ||
    fail "systemd-analyze verify"

for service in "${services[@]}"; do
    systemd-analyze security --offline=true --threshold=20 --no-pager --root="$root" "$service" >"$root/exposure" ||
        { cat "$root/exposure"; fail "$service is more open than 2.0"; }
    tail -n 1 "$root/exposure"
done

# --- Each secret is loaded, and named to the program

for secret in PLEX_TOKEN TAUTULLI_API_KEY SMTP_PASSWORD DISCORD_WEBHOOK; do
    for line in "LoadCredential=${secret,,}:/etc/plex-prune/${secret,,}" "Environment=${secret}_FILE=%d/${secret,,}"; do
        grep -qFx -e "$line" -e "#$line" secrets.conf || fail "secrets.conf lacks $line"
    done
done

# --- The minutes at which the timers fire: those that the README tells, and never both in the same one

minutes() {
    local calendar
    calendar=$(sed -n 's/^OnCalendar=//p' "plex-prune-$1.timer")
    TZ=UTC systemd-analyze calendar --iterations=60 --base-time='2026-01-01 00:59:59' "$calendar" |
        sed -nE 's/^.*: [A-Z][a-z]+ 2026-01-01 01:([0-9]{2}):00 UTC$/\1/p' | paste -sd' '
}
[[ $(minutes welcome) == "$(seq -f %02g -s ' ' 0 2 58)" ]] || fail "welcome fires at minutes $(minutes welcome)"
[[ $(minutes sweep) == "01 31" ]] || fail "sweep fires at minutes $(minutes sweep)"

echo "the units are fine"
