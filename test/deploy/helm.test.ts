import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadSettings, SECRETS, SETTINGS } from "../../config.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";
import { PAGE_PATIENCE_MS } from "../../temporal/page-time.ts";
import { GO_PROGRAMS, goProgram } from "../support/go-programs.ts";
import { limit } from "../support/limits.ts";
import { pythonPrograms } from "../support/python.ts";

const CHART = join(checkoutFolder, "deploy/helm/second-step");
const ALL = join(import.meta.dirname, "all-options.yaml");
const KUBERNETES = "1.31";

let helm: (...args: string[]) => Promise<string>;
let validate: (manifests: string) => Promise<string>;
const folder = mkdtempSync(join(tmpdir(), "second-step-helm-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  const program = await goProgram(GO_PROGRAMS.helm);
  helm = (...args) => runProgram(program, args);
  const validator = await pythonPrograms(
    "kubernetes-validate",
    join(import.meta.dirname, "requirements.txt"),
  );
  validate = (manifests) => {
    const file = join(folder, "manifests.yaml");
    writeFileSync(file, manifests);
    // It writes what it found to standard error.
    const command = `"$1" --strict -k ${KUBERNETES} "$2" 2>&1`;
    return runProgram("sh", ["-c", command, "sh", join(validator, "kubernetes-validate"), file]);
  };
}, limit(1_800_000));

/** The least that an operator sets. */
const LEAST = [
  "image.tag=2",
  "secret.name=second-step",
  "settings.TEMPORAL_ADDRESS=temporal:7233",
  "settings.SMS_GATEWAY=smpp",
];
const STRINGS = ["settings.SMS_PER_HOUR=1000", "settings.SMS_PER_COUNTRY_AND_HOUR=1000"];
const least = [
  ...LEAST.flatMap((value) => ["--set-string", value]),
  ...STRINGS.flatMap((value) => ["--set-string", value]),
];
const all = ["-f", ALL];
const rendered = (...values: string[]) =>
  helm("template", "mfa", CHART, "--kube-version", KUBERNETES, ...values);

test.each([
  ["the least that an operator sets", least],
  ["every option", all],
])(
  "with %s the chart passes the linter, and Kubernetes would take what it makes",
  async (_, values) => {
    await helm("lint", CHART, "--strict", ...values);
    const found = await validate(await rendered(...values));
    expect(found).toContain("deployment/mfa-gateway");
    // Kubernetes itself has no ServiceMonitor.
    const doubts = found.split("\n").filter((line) => /^(WARN|ERROR)/.test(line));
    expect(doubts.filter((line) => !line.includes("ServiceMonitor"))).toEqual([]);
  },
);

test("the validator notices a member that Kubernetes does not know", async () => {
  const wrong = (await rendered(...least)).replace("readinessProbe:", "readynessProbe:");
  await expect(validate(wrong)).rejects.toThrow("readynessProbe");
});

test("every variable that it sets is a setting of the service", async () => {
  const text = await rendered(...all);
  const names = [...text.matchAll(/- \{? ?name: ([A-Z][A-Z0-9_]*)\b/g)].map(
    ([, name = ""]) => name,
  );
  expect(names).toContain("WORKER_PROBES_ADDRESS");
  const files = SECRETS.map((name) => `${name}_FILE`);
  // Node.js reads the first itself, and Temporal's command line the second.
  const known = new Set<string>([...SETTINGS, ...files, "NODE_EXTRA_CA_CERTS", "HOME"]);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test("it makes no secret, takes secrets only from an existing one, and refuses them as settings", async () => {
  for (const values of [least, all]) {
    const text = await rendered(...values);
    expect(text).not.toMatch(/^kind: Secret$/m);
    for (const name of SECRETS) expect(text).not.toMatch(new RegExp(`name: ${name}$`, "m"));
  }
  for (const name of SECRETS)
    await expect(rendered(...least, "--set-string", `settings.${name}=text`), name).rejects.toThrow(
      /settings/,
    );
  const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8"));
  // The owner's URL is for the migration alone, so it is no key of everybody's Secret.
  const keys = SECRETS.filter((name) => name !== "DATABASE_OWNER_URL");
  expect(schema.properties.secret.properties.keys.items.enum).toEqual(keys);
});

test("only the migration gets the Secret of the tables' owner", async () => {
  const parts = (await rendered(...all)).split(/^---$/m);
  const having = parts.filter((part) => /DATABASE_OWNER_URL|second-step-owner/.test(part));
  expect(having.map((part) => /^ {2}name: (.*)$/m.exec(part)?.[1])).toEqual(["mfa-migrate"]);
});

test("it takes the values.yaml of docs/installing.md", async () => {
  const document = readFileSync(join(checkoutFolder, "docs/installing.md"), "utf8");
  const values = [...document.matchAll(/^ {3}```yaml\n(.*?)^ {3}```/gms)].map(([, text]) => text);
  expect(values).toHaveLength(1);
  const file = join(folder, "values.yaml");
  writeFileSync(file, values.join());
  expect(await rendered("-f", file)).toContain('image: "registry.example/second-step:1"');
});

test("pods of the service get only the named keys of the Secret", async () => {
  const parts = (await rendered(...all)).split(/^---$/m).filter((part) => /secret:/.test(part));
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) {
    const keys = [...part.matchAll(/\{ key: (\w+), path: (\w+) \}/g)].map(([, key]) => key);
    const owner = part.includes("name: mfa-migrate") ? ["DATABASE_OWNER_URL"] : [];
    const named = ["DATABASE_URL", "REDIS_URL", "SEALING_KEYS", "CODE_KEY", "SMPP_URL"];
    expect(keys).toEqual([...named, ...owner]);
  }
});

test.each([
  ["configMap", "configMap: { name: authority, items: [{ key: bundle.crt, path: bundle.crt }] }"],
  ["secret", "secret: { secretName: authority, items: [{ key: bundle.crt, path: bundle.crt }] }"],
])("every pod of the service trusts the private authority of a %s", async (kind, volume) => {
  const values = [`authority.${kind}=authority`, "authority.key=bundle.crt"];
  const text = await rendered(...least, ...values.flatMap((value) => ["--set-string", value]));
  const pods = text.split(/^---$/m).filter((part) => /image: "second-step:/.test(part));
  expect(pods).toHaveLength(5);
  for (const pod of pods) {
    expect(pod).toContain(volume);
    expect(pod).toContain("{ name: authority, mountPath: /run/authority, readOnly: true }");
    expect(pod).toMatch(/name: NODE_EXTRA_CA_CERTS\n +value: \/run\/authority\/bundle.crt/);
  }
  expect(await rendered(...least)).not.toMatch(/authority|NODE_EXTRA/);
});

test("it takes the authority from a ConfigMap or a Secret, not from both", async () => {
  const both = ["--set-string", "authority.configMap=a", "--set-string", "authority.secret=b"];
  await expect(rendered(...least, ...both)).rejects.toThrow(/authority/);
});

test("a Prometheus that no policy lets in is refused", async () => {
  const watched = [...least, "--set", "serviceMonitor.enabled=true"];
  await expect(rendered(...watched)).rejects.toThrow("networkPolicy.metricsFrom");
  expect(await rendered(...watched, "--set", "networkPolicy.enabled=false")).toContain(
    "ServiceMonitor",
  );
});

test.each(["image.tag=2", "secret.name=second-step", "settings.SMS_GATEWAY=smpp"])(
  "it cannot be installed without %s",
  async (value) => {
    const others = least.filter(
      (text, at) => text !== value && !(text === "--set-string" && least[at + 1] === value),
    );
    await expect(rendered(...others)).rejects.toThrow(value.split("=")[0]?.split(".").at(-1));
  },
);

test("the workers of previous builds stay beside the new one, each with its own image", async () => {
  const text = await rendered(...all);
  const workers =
    /^kind: Deployment\nmetadata:\n {2}name: mfa-worker-[\w-]+\n(?:(?!---).*\n)+?.*image: "(.*)"$/gm;
  const images = [...text.matchAll(workers)].map(([, image]) => image);
  // Until the promotion the previous builds take every flow.
  const worker = (part: string) => part.includes("- name: worker");
  const twoBuilds = await rendered(...least, "--set-string", "previousBuilds={1}");
  for (const part of twoBuilds.split(/^---$/m).filter(worker))
    expect(part).toMatch(/^ {2}replicas: 2$/m);
  expect(images).toEqual(
    ["2026.11.28", "1", "A_b"].map((build) => `registry.example/second-step:${build}`),
  );
});

test.each([
  ["refuses to end the worker of a build that is not named", [], "The worker of build 1 runs"],
  ["keeps that worker if the build is named as a previous one", ["previousBuilds={1}"], undefined],
  ["ends that worker if the build is named as ended", ["endedBuilds={1}"], undefined],
])("an upgrade %s", async (_, values, refusal) => {
  const cluster = await clusterWithWorkers([
    { release: "mfa", build: "1" },
    { release: "another", build: "other" },
  ]);
  try {
    const set = values.flatMap((value) => ["--set-string", value]);
    const upgrade = rendered(
      ...[...least, ...set, "--dry-run=server", "--kube-apiserver", cluster.url],
    );
    if (refusal) await expect(upgrade).rejects.toThrow(refusal);
    else expect(await upgrade).toContain('second-step/build: "2"');
  } finally {
    await cluster.close();
  }
});

/** What the chart asks a cluster for: the Deployments that it has. No cluster runs here. */
async function clusterWithWorkers(workers: { release: string; build: string }[]) {
  const deployments = { name: "deployments", kind: "Deployment", namespaced: true };
  const answers: Record<string, object> = {
    "/apis/apps/v1": {
      ...{ kind: "APIResourceList", apiVersion: "v1", groupVersion: "apps/v1" },
      resources: [{ ...deployments, singularName: "deployment", verbs: ["get", "list"] }],
    },
    "/apis/apps/v1/namespaces/default/deployments": {
      ...{ kind: "DeploymentList", apiVersion: "apps/v1", metadata: {} },
      items: workers.map(({ release, build }) => ({
        ...{ apiVersion: "apps/v1", kind: "Deployment" },
        metadata: {
          name: `${release}-worker-${build}`,
          labels: {
            "app.kubernetes.io/name": "second-step",
            "app.kubernetes.io/instance": release,
            "app.kubernetes.io/component": "worker",
          },
        },
        spec: { selector: { matchLabels: { "second-step/build": build } } },
      })),
    },
  };
  const server = createServer(({ url = "" }, response) => {
    const answer = answers[url.split("?")[0] ?? ""];
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { kind: "Status", apiVersion: "v1", code: 404 }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

test("without a list of peers the gateway may be reached from everywhere, with one only by these", async () => {
  const gatewayPolicy = async (values: string[]) =>
    (await rendered(...values))
      .split(/^---$/m)
      .find((text) => /kind: NetworkPolicy\n[\s\S]*name: mfa-gateway$/m.test(text));
  expect(await gatewayPolicy(least)).toMatch(/port: 8080/);
  expect(await gatewayPolicy(least)).not.toMatch(/from:/);
  expect(await gatewayPolicy(all)).toMatch(/port: 8080.*\n +from: .*"ingress"/);
});

test("Kubernetes waits longer than a gateway takes to drain and to finish its requests", async () => {
  const usual = loadSettings(["DRAIN_SECONDS"], {}).DRAIN_SECONDS;
  for (const seconds of [undefined, 0, 120]) {
    const set = seconds === undefined ? [] : ["--set-string", `settings.DRAIN_SECONDS=${seconds}`];
    const text = await rendered(...least, ...set);
    const gateway = text.split(/^---$/m).find((part) => part.includes("- name: gateway")) ?? "";
    const waits = Number(/terminationGracePeriodSeconds: (\d+)/.exec(gateway)?.[1]);
    // A page that began just before the end, and ten seconds to close connections.
    expect(waits).toBeGreaterThanOrEqual((seconds ?? usual) + PAGE_PATIENCE_MS / 1000 + 10);
    expect(waits).toBeLessThanOrEqual((seconds ?? usual) + 60);
  }
});

test("it refuses settings that it sets itself, and tags that are no value of a label", async () => {
  const own = ["HOST", "PORT", "METRICS_ADDRESS", "WORKER_METRICS_ADDRESS"];
  for (const name of [...own, "WORKER_PROBES_ADDRESS", "EVENTS_EXPORT_DIR", "WORKER_BUILD_ID"])
    await expect(rendered(...least, "--set-string", `settings.${name}=1`), name).rejects.toThrow(
      /settings/,
    );
  for (const tag of ["2-", "_2", "-2", "2.", "x".repeat(64)])
    await expect(rendered(...least, "--set-string", `image.tag=${tag}`), tag).rejects.toThrow(
      /image.tag/,
    );
});

test("every command for Kubernetes in the documents names what the chart makes", async () => {
  const text = await helm(
    ...["template", "second-step", CHART, "--kube-version", KUBERNETES, ...least],
  );
  const parts = text.split(/^---$/m).filter((part) => /^kind: Deployment$/m.test(part));
  const names = parts.map((part) => `deploy/${/^ {2}name: (.*)$/m.exec(part)?.[1]}`);
  const labels = parts.flatMap((part) =>
    [...part.matchAll(/^ {8}([\w./-]+): "?([\w.-]+)"?$/gm)].map(
      ([, key, value]) => `${key}=${value}`,
    ),
  );
  const documents = readdirSync(join(checkoutFolder, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => readFileSync(join(checkoutFolder, "docs", name), "utf8"));
  const blocks = documents.flatMap((document) => document.match(/^```sh\n.*?^```/gms) ?? []);
  const lines = blocks.flatMap((block) => block.split("\n")).filter((line) => /kubectl/.test(line));
  expect(lines.length).toBeGreaterThan(15);
  const words = lines.flatMap((line) => line.split(/[\s,()]+/));
  const named = words.filter((word) => word.startsWith("deploy/"));
  const selected = words.filter((word) => word.startsWith("app.kubernetes.io/"));
  expect(names).toContain("deploy/second-step-gateway");
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
  expect(selected).toContain("app.kubernetes.io/component=worker");
  expect(selected.filter((label) => !labels.includes(label))).toEqual([]);
  const releases = [...blocks.join("").matchAll(/^helm upgrade (?:--install )?([\w-]+)/gm)];
  expect(new Set(releases.map(([, name]) => name))).toEqual(new Set(["second-step"]));
});

test("migrations and Temporal's preparation run before, the promotion after an upgrade", async () => {
  const text = await rendered(...least);
  const hooks = [
    ...text.matchAll(/^ {2}name: mfa-([\w-]+)\n(?:.*\n){1,10}? {4}helm\.sh\/hook: (.*)$/gm),
  ];
  expect(Object.fromEntries(hooks.map(([, name, hook]) => [name, hook]))).toEqual({
    migrate: "pre-install,pre-upgrade",
    "prepare-temporal": "pre-install,pre-upgrade",
    "promote-worker": "post-install,post-upgrade",
  });
});
