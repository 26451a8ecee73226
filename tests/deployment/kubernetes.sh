#!/usr/bin/env bash
# The manifests in examples/kubernetes: the schemas of Kubernetes take them, kustomize builds them, they fit the program
# and each other, and the program takes their settings and command lines.
# Needs `cargo build` (PLEX_PRUNE may name another program), kubectl (1.20 or newer, for its kustomize), and Python with
# kubernetes-validate. Talks to no cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."

manifests=examples/kubernetes
program=$(realpath "${PLEX_PRUNE:-target/debug/plex-prune}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# An unknown kind is only a warning, with exit code 0: so a file passes if each of its documents is said to.
validate() {
    kubernetes-validate --strict -k 1.37 "$1" >"$work/said" 2>&1 || fail "$1: $(cat "$work/said")"
    local documents passed
    documents=$(grep -c '^kind:' "$1")
    passed=$(grep -c ' passed ' "$work/said" || true)
    [ "$passed" = "$documents" ] || fail "$1: $passed of $documents passed: $(cat "$work/said")"
}

kubectl kustomize "$manifests" >"$work/built.yaml"
for file in "$manifests"/*.yaml "$work/built.yaml"; do
    [ "$file" = "$manifests/kustomization.yaml" ] || validate "$file"
done
for file in "$manifests"/*; do
    name=$(basename "$file")
    case $name in
        kustomization.yaml | README.md) ;;
        *) grep -qxF -- "  - $name" "$manifests/kustomization.yaml" || fail "the kustomization leaves $name out" ;;
    esac
done

# What is said twice is the same, but for the lines that say that they differ.
diff <(grep -v '# differs$' "$manifests/welcome.yaml" | tail -n +2) \
    <(grep -v '# differs$' "$manifests/sweep.yaml" | tail -n +2) ||
    fail "welcome.yaml and sweep.yaml differ in lines that are not marked"

# Prints the command lines of the CronJobs, and leaves the settings and the secrets in $work for the program.
python3 - "$manifests" "$work" >"$work/commands" <<'PYTHON'
import pathlib, re, sys, yaml

manifests, work = map(pathlib.Path, sys.argv[1:])
problems = []


def check(holds, problem):
    if not holds:
        problems.append(problem)


of_kind = {}
for one in yaml.safe_load_all((work / "built.yaml").read_text()):
    of_kind.setdefault(one["kind"], []).append(one)
config, secret = of_kind["ConfigMap"][0], of_kind["Secret"][0]
version = re.search(r'^version = "(.*)"', pathlib.Path("Cargo.toml").read_text(), re.M)[1]
settings = set(re.findall(r'^    \("(\w+)", Role::', pathlib.Path("src/config/names.rs").read_text(), re.M))
check("DRY_RUN" in settings, "src/config/names.rs has no list of settings that could be read")
user = int(re.search(r"^USER (\d+)", pathlib.Path("Dockerfile").read_text(), re.M)[1])

# The names behind a # as well: somebody takes it off one day.
in_config, in_secret = (
    set(re.findall(r"^  (?:# )?([A-Z][A-Z_]+):", (manifests / file).read_text(), re.M))
    for file in ("configmap.yaml", "secret.yaml")
)
from_files = {name for name in in_config if name.endswith("_FILE") and name not in settings}
check(in_config - from_files <= settings, f"no settings: {in_config - from_files - settings}")
check(in_secret <= settings, f"no settings: {in_secret - settings}")
check(from_files == {f"{name}_FILE" for name in in_secret}, f"not the keys of the Secret: {from_files}")

names = {kind: {one["metadata"]["name"] for one in found} for kind, found in of_kind.items()}
pods = {}
for job in of_kind["CronJob"]:
    name, job = job["metadata"]["name"], job["spec"]["jobTemplate"]["spec"]
    pod = pods[name] = job["template"]
    rules = job["podFailurePolicy"]["rules"]
    check(pod["spec"].pop("restartPolicy") == "Never", f"{name}: podFailurePolicy needs restartPolicy Never")
    actions = {code: rule["action"] for rule in rules for code in rule.get("onExitCodes", {}).get("values", [])}
    check(actions == {75: "Ignore", 2: "FailJob", 3: "FailJob"}, f"{name}: exit codes: {actions}")
    for codes in (rule["onExitCodes"] for rule in rules if "onExitCodes" in rule):
        check(codes["containerName"] == pod["spec"]["containers"][0]["name"], f"{name}: containerName")
        check(codes["values"] == sorted(codes["values"]), f"{name}: exit codes must be in order")
    print(*pod["spec"]["containers"][0].pop("args"))
for toolbox in of_kind["Deployment"]:
    name, pod = toolbox["metadata"]["name"], toolbox["spec"]["template"]
    pods[name] = pod
    labels = toolbox["spec"]["selector"]["matchLabels"].items()
    check(labels <= pod["metadata"]["labels"].items(), f"{name}: its selector doesn't match its pod")
    pod["spec"].pop("terminationGracePeriodSeconds")
    pod["spec"]["containers"][0].pop("command")

specs = [pod["spec"] for pod in pods.values()]
check(len(specs) == 3 and all(spec == specs[0] for spec in specs), f"not the same pod: {', '.join(pods)}")
for name, pod in pods.items():
    [container] = pod["spec"]["containers"]
    check(container["image"].endswith(f"/plex-prune:{version}"), f"{name}: {container['image']} is not {version}")
    check(pod["spec"]["securityContext"]["runAsUser"] == user, f"{name}: the image's user is {user}")
    check([{"configMapRef": {"name": config["metadata"]["name"]}}] == container["envFrom"], f"{name}: envFrom")
    [affinity] = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = affinity["labelSelector"]["matchLabels"].items()
    check(labels <= pod["metadata"]["labels"].items(), f"{name}: without a pod to stand by, it would wait for ever")
    paths = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    for volume in pod["spec"]["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            check(claim["claimName"] in names["PersistentVolumeClaim"], f"{name}: {claim}")
            check(paths[volume["name"]] == config["data"]["STATE_DIR"], f"{name}: the state is not on the volume")
        else:
            check(volume["secret"]["secretName"] == secret["metadata"]["name"], f"{name}: {volume}")
            secrets = paths[volume["name"]]
text = (manifests / "configmap.yaml").read_text()
for name in from_files:
    path = re.search(rf"{name}: (.*)", text)[1]
    check(path == f"{secrets}/{name.removesuffix('_FILE')}", f"{name}: {path} is not in the volume")

values = config["data"] | {"STATE_DIR": f"{work}/state"}
values = {name: value.replace(secrets, f"{work}/secrets") for name, value in values.items()}
# Nobody answers there: this is about the settings, and nothing leaves this machine.
values |= {"PLEX_TV_URL": "http://127.0.0.1:1", "TAUTULLI_URL": "http://127.0.0.1:1"}
(work / "settings").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
(work / "secrets").mkdir()
for name in secret["stringData"]:
    (work / "secrets" / name).touch()

sys.exit("\n".join(f"FAILED: {problem}" for problem in problems) or 0)
PYTHON

# Runs the program in a pod's environment, and expects an exit code.
mapfile -t settings <"$work/settings"
expect() {
    local expected=$1 code=0
    shift
    env -i "${settings[@]}" "$program" "$@" >"$work/said" 2>&1 || code=$?
    [ "$code" = "$expected" ] || fail "plex-prune $* exits $code, not $expected: $(cat "$work/said")"
}

mapfile -t commands <"$work/commands"
[ "${#commands[@]}" = 2 ] || fail "${#commands[@]} CronJobs, not 2"
for command in "${commands[@]}"; do
    read -ra args <<<"$command"
    # As the Secret comes, nothing is filled in: a wrong configuration, and every file is named.
    for secret in "$work/secrets"/*; do
        : >"$secret"
    done
    expect 2 "${args[@]}"
    for secret in "$work/secrets"/*; do
        grep -qF "the file $secret is empty" "$work/said" || fail "not a word on $secret: $(cat "$work/said")"
        echo made-up >"$secret"
    done
    # Filled in, everything is right but that plex.tv can't be reached.
    expect 1 "${args[@]}"
    grep -qF plex.tv "$work/said" || fail "something else failed: $(cat "$work/said")"
done

echo "the manifests are valid, and fit the program and each other"
