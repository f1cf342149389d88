"""docker/compose.yaml and docker/kubernetes/, held against their schemas, each other, the program's own defaults and its `check`."""

import json
import re
import subprocess
import tomllib
import urllib.parse
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
# Written against `sleep` in preStop and `matchLabelKeys`; older API servers are at their end of life.
VERSIONS = ("1.30", "1.33", "1.37")


def seconds(text):
    """Seconds of «30 s», «2 min», «40s», «1m»."""
    number, unit = re.fullmatch(r"(\d+)\s*(ms|s|min|m|h)?", str(text)).groups()
    return int(number) * {"ms": 0.001, "s": 1, None: 1, "min": 60, "m": 60, "h": 3600}[unit]


def default_drain():
    settings = tomllib.loads((ROOT / "config/postward.toml").read_text())
    return seconds(settings["timeouts"]["drain"])


def binary_checks(said, binary, work, what, settings, beside):
    """`postward check` on settings that ship, with `beside` (name in the container -> file here) standing in for what is mounted."""
    folder = work / what.replace(" ", "-")
    folder.mkdir()
    text = settings.read_text()
    (folder / "state").mkdir()
    text = text.replace("/var/lib/postward/", f"{folder}/state/")
    for name, path in beside.items():
        text = text.replace(f'"{name}"', f'"{path}"')
    (folder / "postward.toml").write_text(text)
    ran = subprocess.run([binary, "check", "--config", folder / "postward.toml"], capture_output=True, text=True, timeout=300)
    said.check(f"`postward check` takes the settings of {what}", [] if ran.returncode == 0 else (ran.stdout + ran.stderr).splitlines()[-12:])


# --- compose ---------------------------------------------------------------------------------------------------------------------


def compose(said, binary, work, authority):
    tool = said.has("docker-compose", "docker/compose.yaml as compose itself reads it")
    if tool:
        ran = subprocess.run([tool, "-f", DOCKER / "compose.yaml", "config"], capture_output=True, text=True, timeout=60)
        if said.check("compose itself takes docker/compose.yaml", [] if ran.returncode == 0 else ran.stderr.splitlines()):
            whole = yaml.safe_load(ran.stdout)
            said.check("what compose makes of it has every service", set(whole["services"]) == {"postward", "postgres", "prometheus", "grafana"})
    made = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    services = made["services"]
    said.check("every service is hardened", [f"{name}: {fault}" for name, service in services.items() for fault in soft(service)])
    said.check("the world reaches staff's port and nothing else", [
        f"{name}: {port}" for name, service in services.items() for port in service.get("ports", [])
        if not port.startswith("127.0.0.1:") and port != "443:8443"])
    said.check("no secret stands in the environment", [
        f"{name}: {key}" for name, service in services.items() for key, value in service.get("environment", {}).items()
        if re.search("PASS|KEY|SECRET|TOKEN", key) and not (key.endswith(("_FILE", "__FILE")) and value.startswith("/run/secrets/"))])
    said.check("every image has a version", [
        f"{name}: {service['image']}" for name, service in services.items()
        if "build" not in service and not re.search(r":v?\d+\.\d+", service["image"])])
    said.check("what is mounted is in the repository, or made by docker/compose/prepare", unmounted(made))
    stop = seconds(services["postward"]["stop_grace_period"])
    said.check(f"compose waits longer than the drain of {default_drain():g} s", stop >= default_drain() + 5)
    settings = tomllib.loads((DOCKER / "compose/postward.toml").read_text())
    published = {port.split(":")[-1] for port in services["postward"]["ports"]}
    listened = {settings["listener"][0]["address"].split(":")[-1], settings["admin"]["address"].split(":")[-1]}
    said.check("compose publishes the ports that its settings open", published == listened)
    said.check("Prometheus is told of the admin port and reads alerts that are there", prometheus(listened))
    binary_checks(said, binary, work, "compose", DOCKER / "compose/postward.toml", {
        "ca.pem": authority / "ca.pem", "/run/secrets/ca-key": authority / "ca.key", "policy.toml": ROOT / "config/policy.toml",
        "/run/secrets/database-password": authority / "password"})


def soft(service):
    """What a service was given that it need not have."""
    if service.get("read_only") is not True:
        yield "its root may be written to"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield "it has capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it can get new privileges"
    if not service.get("pids_limit"):
        yield "it may have processes without end"
    if service.get("logging", {}).get("options", {}).get("max-size") is None:
        yield "its log grows without end"
    if service.get("network_mode") == "host" or service.get("pid") == "host":
        yield "it shares the machine's namespaces"
    for mount in service.get("volumes", []):
        if "docker.sock" in mount:
            yield "it can command Docker"
        if mount.startswith(".") and not mount.endswith(":ro"):
            yield f"it may write {mount}"


def unmounted(made):
    prepare = (DOCKER / "compose/prepare").read_text()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for name, service in made["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if not source.startswith("."):
                if source not in made["volumes"]:
                    yield f"{name}: no volume is called {source}"
            elif source == "./settings":
                if "settings/" not in prepare or "docker/settings/" not in ignored:
                    yield f"{name}: {source} is not made by prepare and kept out of git"
            elif not (DOCKER / source).exists():
                yield f"{name}: {source} is not there"
        for secret in service.get("secrets", []):
            if secret not in made["secrets"]:
                yield f"{name}: no secret is called {secret}"
    for name, secret in made["secrets"].items():
        if Path(secret["file"]).name not in prepare or "docker/secrets/" not in ignored:
            yield f"{name}: {secret['file']} is not made by prepare and kept out of git"


def prometheus(listened):
    faults = []
    settings = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())
    targets = [target for job in settings["scrape_configs"] for group in job["static_configs"] for target in group["targets"]]
    if not any(target.startswith("postward:") and target.split(":")[1] in listened for target in targets):
        faults.append(f"nobody asks postward: {targets}")
    for file in settings["rule_files"]:
        if not (DOCKER / "prometheus" / Path(file).name).exists():
            faults.append(f"there is no {file}")
    source = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    dashboards = list((DOCKER / "grafana").glob("*.json"))
    if not dashboards:
        faults.append("there is no dashboard")
    for dashboard in dashboards:
        # A dashboard asks by this name, by a variable, or by none; another one would show nothing.
        for uid in set(re.findall(r'"type": *"prometheus", *\s*"uid": *"([^"]+)"', dashboard.read_text())):
            if uid != source["uid"] and not uid.startswith("$"):
                faults.append(f"{dashboard.name} asks a source {uid}, and there is only {source['uid']}")
        json.loads(dashboard.read_text())
    return faults


# --- Kubernetes ------------------------------------------------------------------------------------------------------------------


def kubernetes(said, binary, work, authority):
    folder = DOCKER / "kubernetes"
    plan = yaml.safe_load((folder / "kustomization.yaml").read_text())
    files = [folder / name for name in plan["resources"]] + [folder / "secret.example.yaml"]
    objects = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    said.check("every manifest is listed for kustomize", [
        file.name for file in folder.glob("*.yaml") if file not in files and file.name != "kustomization.yaml"])
    for version in VERSIONS:
        said.check(f"every manifest fits the schemas of Kubernetes {version}, strictly", list(misfits(objects, version)))
    kubectl = said.has("kubectl", "the manifests as kustomize puts them together")
    if kubectl:
        ran = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, timeout=60)
        if said.check("kustomize puts them together", [] if ran.returncode == 0 else ran.stderr.splitlines()):
            whole = list(yaml.safe_load_all(ran.stdout))
            said.check("and they fit the schemas then", list(misfits(whole, VERSIONS[-1])))
            said.check("all in one namespace", [each["kind"] for each in whole if each["kind"] != "Namespace" and each["metadata"]["namespace"] != "postward"])
            config = next(each for each in whole if each["kind"] == "ConfigMap")
            said.check("the settings come whole", config["data"]["postward.toml"] == (folder / "postward.toml").read_text())
    by_kind = {each["kind"]: each for each in objects}
    settings = tomllib.loads((folder / "postward.toml").read_text())
    said.check("the manifests mean the same nodes, ports, secrets and settings", list(astray(by_kind, plan, settings)))
    said.check("the pod keeps to the Pod Security Standard «restricted», with a read-only root", list(loose(by_kind["Deployment"])))
    said.check("the pod is given longer than it takes", list(hasty(by_kind["Deployment"], settings)))
    said.check("a rollout, a drained machine and the autoscaler leave nodes that serve", list(bare(by_kind)))
    binary_checks(said, binary, work, "Kubernetes", folder / "postward.toml", {
        "/etc/postward-keys/ca.pem": authority / "ca.pem", "/etc/postward-keys/ca.key": authority / "ca.key",
        "/etc/postward-keys/postgres-password": authority / "password", "/etc/postward-keys/database-ca.pem": authority / "ca.pem"})


def misfits(objects, version):
    for each in objects:
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{each['kind']}: {'.'.join(map(str, error.path))}: {error.message}"


def astray(kinds, plan, settings):
    deployment, service, policy = kinds["Deployment"], kinds["Service"], kinds["NetworkPolicy"]
    pod = deployment["spec"]["template"]
    container = pod["spec"]["containers"][0]
    labels = pod["metadata"]["labels"].items()
    selectors = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"], "Service": service["spec"]["selector"],
        "PodDisruptionBudget": kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": policy["spec"]["podSelector"]["matchLabels"],
    }
    for spread in pod["spec"]["topologySpreadConstraints"]:
        selectors["spread over " + spread["topologyKey"]] = spread["labelSelector"]["matchLabels"]
    for name, selector in selectors.items():
        if not selector.items() <= labels:
            yield f"{name} selects other pods: {selector}"
    target = kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    if (target["kind"], target["name"]) != ("Deployment", deployment["metadata"]["name"]):
        yield f"the autoscaler is for {target}"
    if "replicas" in deployment["spec"]:
        yield "the deployment's own count would undo the autoscaler's at each apply"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    opened = {"https": settings["listener"][0]["address"], "admin": settings["admin"]["address"]}
    for name, address in opened.items():
        if not address.endswith(f":{ports.get(name)}"):
            yield f"the port {name} is {ports.get(name)}, and the settings open {address}"
    if [port["targetPort"] for port in service["spec"]["ports"]] != ["https"]:
        yield "the service leads to more than staff's port"
    if service["spec"]["externalTrafficPolicy"] != "Local":
        yield "the service hides clients' addresses"
    let_in = {port["port"]: rule["from"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    if set(let_in) != set(ports) or any("ipBlock" in peer for peer in let_in["admin"]):
        yield "the network policy lets in others than the ports' own"
    let_out = [(port["protocol"], port["port"]) for rule in policy["spec"]["egress"] for port in rule["ports"]]
    if set(policy["spec"]["policyTypes"]) != {"Ingress", "Egress"} or ("TCP", 443) not in let_out or ("UDP", 443) in let_out:
        yield "the network policy lets out what it should not"
    resolvers = {address for address in pod["spec"]["dnsConfig"]["nameservers"]}
    asked = {peer["ipBlock"]["cidr"].split("/")[0] for rule in policy["spec"]["egress"] if {"port": 53, "protocol": "UDP"} in rule["ports"] for peer in rule["to"]}
    if pod["spec"]["dnsPolicy"] != "None" or resolvers != asked:
        yield f"the pod asks {resolvers}, and the network policy lets it ask {asked}"
    databases = {alias["ip"] for alias in pod["spec"].get("hostAliases", [])}
    reached = {peer["ipBlock"]["cidr"].split("/")[0] for rule in policy["spec"]["egress"] if {"port": 5432, "protocol": "TCP"} in rule["ports"] for peer in rule["to"]}
    names = {name for alias in pod["spec"].get("hostAliases", []) for name in alias["hostnames"]}
    asked = {urllib.parse.urlsplit(sink["url"]).hostname for sink in settings["audit"].get("sink", []) if sink["kind"] == "postgres"}
    if databases != reached or names != asked:
        yield f"the settings name databases {asked}, the pod knows {names} at {databases}, and may reach {reached}"
    if not any(sink.get("wait") for sink in settings["audit"].get("sink", [])) and "emptyDir" in str(pod["spec"]["volumes"]):
        yield "a node's audit would go with its pod before the database has it"
    named = {plan_map["name"] for plan_map in plan["configMapGenerator"]} | {kinds["Secret"]["metadata"]["name"]}
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    for volume in volumes.values():
        source = volume.get("configMap", {}).get("name") or volume.get("secret", {}).get("secretName")
        if source and source not in named:
            yield f"nothing is called {source}"
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    for path, mount in mounts.items():
        if mount["name"] not in volumes:
            yield f"no volume is called {mount['name']}"
        if path != "/var/lib/postward" and not mount.get("readOnly"):
            yield f"{path} may be written to"
    files = {f"/etc/postward-keys/{name}" for name in kinds["Secret"]["stringData"]} | {f"/etc/postward/{name}" for made in plan["configMapGenerator"] for name in made["files"]}
    for path in strings(settings):
        if path.startswith("/etc/") and path not in files:
            yield f"the settings name {path}, which nothing mounts"
    if container["args"][-1] not in files:
        yield f"{container['args']} names settings that nothing mounts"
    if plan.get("generatorOptions", {}).get("disableNameSuffixHash") is not True:
        yield "a change of the settings would start every node anew instead of reloading it"


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def loose(deployment):
    """Pod Security Standards, «restricted», and what this program can do beyond it."""
    spec = deployment["spec"]["template"]["spec"]
    pod, containers = spec["securityContext"], spec["containers"] + spec.get("initContainers", [])
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    if pod.get("runAsNonRoot") is not True or not pod.get("runAsUser") or pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"of the pod: {pod}"
    if spec.get("automountServiceAccountToken") is not False or spec.get("enableServiceLinks") is not False:
        yield "it is given a token, or the addresses of every service"
    for volume in spec["volumes"]:
        if not {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "ephemeral", "projected", "downwardAPI", "csi"} & set(volume):
            yield f"a volume of a kind that is not allowed: {volume['name']}"
        if "secret" in volume and volume["secret"].get("defaultMode", 0o644) & 0o027:
            yield f"others may read {volume['name']}"
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"{volume['name']} may fill the machine's disk"
    for container in containers:
        rights = container["securityContext"]
        if rights.get("allowPrivilegeEscalation") is not False or rights.get("readOnlyRootFilesystem") is not True:
            yield f"of {container['name']}: {rights}"
        if rights.get("capabilities") != {"drop": ["ALL"]}:
            yield f"capabilities of {container['name']}: {rights.get('capabilities')}"
        if any(port.get("hostPort") for port in container["ports"]) or any(port["containerPort"] < 1024 for port in container["ports"]):
            yield "a port that takes a capability, or the machine's"
        if "memory" not in container["resources"]["limits"] or "cpu" not in container["resources"]["requests"]:
            yield "memory without a limit, or no processor asked for"


def hasty(deployment, settings):
    spec = deployment["spec"]["template"]["spec"]
    container = spec["containers"][0]
    drain = seconds(settings.get("timeouts", {}).get("drain", default_drain()))
    slept = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    if spec["terminationGracePeriodSeconds"] < slept + drain + 10:
        yield f"{spec['terminationGracePeriodSeconds']} s for {slept} s of waiting and {drain:g} s of drain"
    ready, start = container["readinessProbe"], container["startupProbe"]
    if slept < ready["periodSeconds"]:
        yield "it stops before anybody has asked whether it is ready"
    if start["periodSeconds"] * start["failureThreshold"] < 60:
        yield "it has less than a minute to prove its rules"
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    if paths != {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}:
        yield f"probes ask {paths}"
    number = lambda text, units: float(re.match(r"[\d.]+", text)[0]) * next(size for unit, size in units if unit in text)
    memory = number(container["resources"]["limits"]["memory"], [("Gi", 2**30), ("Mi", 2**20)])
    inspect = number(settings["limits"]["inspect-memory"], [("GiB", 2**30), ("MiB", 2**20)])
    if memory < inspect + 2**29:
        yield "the container's memory leaves too little beside `inspect-memory`"


def bare(kinds):
    rollout = kinds["Deployment"]["spec"]["strategy"]["rollingUpdate"]
    if rollout["maxUnavailable"] != 0 or not rollout["maxSurge"]:
        yield "a rollout takes nodes away before it has others"
    least = kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"]
    budget = kinds["PodDisruptionBudget"]["spec"]
    if least < 2 or budget.get("maxUnavailable") != 1:
        yield f"with {least} nodes at least, {budget} may leave none"
