#!/usr/bin/env bash
# Builds the Debian package, and tries it on a copy of this machine: what is where, the man pages, the completions; that
# it starts nothing by itself; that the settings, the state and the timers outlast an upgrade and a removal.
#
# Needs Rust, cargo-deb, Debian with systemd, man-db, zsh and fish, and root or sudo. The copy is an overlay in memory
# that is gone at the end; nothing is installed here.
# shellcheck disable=SC2016 # The single quotes are for shells and dpkg-query inside the copy.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ ${1:-} != inside ]]; then
    work=$(mktemp -d)
    trap 'rm -r "$work"' EXIT
    rm -rf target/manual
    cargo run --locked --example manual -- target/manual
    cargo deb --locked --output "$work/plex-prune.deb"
    mkdir "$work/machine"
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" unshare --mount --mount-proc --pid --fork --kill-child \
        "$BASH" "tests/deployment/${0##*/}" inside "$work/machine" "$work/plex-prune.deb"
    exit
fi

trap 'exit 1' INT TERM
trap 'fail "line $LINENO"' ERR
work=$2
deb=$3
mount -t tmpfs tmpfs "$work"
root=$work/root
mkdir "$work"/{root,upper,overlay}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
env=$root/etc/plex-prune/plex-prune.env
state=$root/var/lib/plex-prune/state.json

# --- Helpers

fail() {
    echo "FAILED: $*"
    tail -n 99 "$work"/*.out
    exit 1
}

# expect WHAT COMMAND...: it is so.
expect() {
    "${@:2}" || fail "$1"
    echo "ok: $1"
}

# As wide as the longest address.
inside() { MANWIDTH=120 LC_ALL=C.UTF-8 chroot "$root" "$@"; }
holds() { grep -qF -- "$2" "$1"; }                                 # FILE TEXT
is() { [[ $(inside stat -c '%U %a' "$1") == "$2" ]]; }             # PATH "OWNER MODE"
says() { [[ $("${@:2}" 2>&1) == "$1" ]]; }                         # TEXT COMMAND...
dpkg_() { inside dpkg --force-confdef "$@" </dev/null >"$work/dpkg.out" 2>&1; } # as an upgrade that asks nobody

exits() { # CODE COMMAND...
    local code=0
    inside "${@:2}" >"$work/program.out" 2>&1 || code=$?
    ((code == $1))
}

timers_are() { # ENABLED-OR-NOT
    local pass
    for pass in welcome sweep; do
        says "$1" inside systemctl is-enabled "plex-prune-$pass.timer" || return
    done
}

page_is_sound() { # PAGE: it is found, and groff has nothing to say about it
    inside man --warnings=w "$1" >"$work/page.out" 2>"$work/groff.out" &&
        holds "$work/page.out" SYNOPSIS && [[ ! -s $work/groff.out ]]
}

# --- A machine without plex-prune

dpkg_ --purge plex-prune || true
rm -rf "$root"/{usr,usr/local}/bin/plex-prune "${env%/*}"* "${state%/*}"*
cp "$deb" "$root/plex-prune.deb"

# --- Installed

expect "the package can be installed" dpkg_ --install /plex-prune.deb
version=$(dpkg-deb --field "$deb" Version)
expect "the program runs" holds <(inside plex-prune --version) "plex-prune ${version%-*}"
expect "the env file is root's alone" is /etc/plex-prune/plex-prune.env "root 600"
expect "the env file is a conffile" \
    holds <(inside dpkg-query --show --showformat '${Conffiles}' plex-prune) /etc/plex-prune/plex-prune.env
expect "it is not filled in: nothing runs with it" exits 2 plex-prune --env-file /etc/plex-prune/plex-prune.env welcome
for unit in plex-prune-{welcome,sweep}{,@}.{service,timer}; do
    expect "$unit is there" is "/usr/lib/systemd/system/$unit" "root 644"
done
expect "the timers are not enabled" timers_are disabled
for file in README.md changelog.gz copyright examples/{README.md,compose.yaml,kubernetes/sweep.yaml,plex-prune.env} \
    cron/plex-prune systemd/secrets.conf src/notify/templates/welcome.html; do
    expect "$file is there" is "/usr/share/doc/plex-prune/$file" "root 644"
done

# --- Man pages and completions

for page in plex-prune{,-{welcome,sweep,status,verify,whitelist{,-{list,add,remove}}}}; do
    expect "man $page" page_is_sound "$page"
done
inside man plex-prune >"$work/page.out"
for text in "EXIT STATUS" "75     another pass" "DRY_RUN [default: true]" "STATE_DIR/state.json.bak"; do
    expect "man plex-prune tells of $text" holds "$work/page.out" "$text"
done

expect "bash completes" says remove inside bash -c '
    . /usr/share/bash-completion/completions/plex-prune
    [[ $(complete -p plex-prune) =~ -F\ ([^ ]+) ]]
    COMP_WORDS=(plex-prune whitelist re) COMP_CWORD=2
    ${BASH_REMATCH[1]} plex-prune re whitelist
    echo "${COMPREPLY[@]}"'
expect "fish completes" says remove inside fish -c 'complete -C "plex-prune whitelist re" | cut -f 1'
# In a terminal of its own, into which the words and a tab are typed.
expect "zsh completes" inside env TERM=dumb timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty terminal zsh -f -i
    zpty -w terminal "autoload -Uz compinit; compinit -Du; PS1="
    zpty -n -w terminal $'\''plex-prune whitelist re\t'\''
    zpty -r terminal typed "*whitelist remove*"
    zpty -d terminal'

# --- In use: filled in, the timers enabled, a state; then an upgrade to a version with another env file

echo 'DRY_RUN=false' >>"$env"
inside systemctl enable --quiet plex-prune-{welcome,sweep}.timer
mkdir "${state%/*}"
echo '{}' >"$state"
dpkg-deb --raw-extract "$deb" "$work/newer"
sed -i 's/^Version: .*/&.newer/' "$work/newer/DEBIAN/control"
echo '# A line that is new.' >>"$work/newer/etc/plex-prune/plex-prune.env"
dpkg-deb --build "$work/newer" "$root/newer.deb" >"$work/dpkg.out"

expect "the package can be upgraded" dpkg_ --install /newer.deb
expect "the settings are still there" holds "$env" DRY_RUN=false
expect "they are still root's alone" is /etc/plex-prune/plex-prune.env "root 600"
expect "the new env file is beside them" holds "$env.dpkg-dist" "A line that is new."
expect "the timers are still enabled" timers_are enabled

# --- Gone

expect "the package can be removed" dpkg_ --remove plex-prune
expect "the program is gone" test ! -e "$root/usr/bin/plex-prune"
expect "the timers can't run any more" timers_are masked
expect "the settings stay" holds "$env" DRY_RUN=false
expect "the state stays" test -e "$state"
expect "the package can be installed again" dpkg_ --install /newer.deb
expect "the timers are enabled as before" timers_are enabled
expect "the package can be purged" dpkg_ --purge plex-prune
expect "the settings are gone" test ! -e "${env%/*}"
expect "the timers are gone" test -z "$(find "$root/etc/systemd" "$root/var/lib/systemd" -name 'plex-prune*')"
expect "the state, with the whitelist, stays" test -e "$state"
