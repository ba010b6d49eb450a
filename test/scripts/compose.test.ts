import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GATEWAY_WEIGHT } from "../../bench/weight.ts";
import { SETTINGS } from "../../config.ts";
import { TEMPORAL_ENV, TEMPORAL_SETTINGS } from "../../scripts/temporal-settings.ts";

const compose = read("docker-compose.yml");

function read(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
}

/** The name and text of each service. */
function services(): Map<string, string> {
  const [, section = ""] = /^services:\n([\s\S]*?)^\S/m.exec(compose) ?? [];
  const parts = section.split(/^ {2}([\w-]+):\n/m).slice(1);
  return new Map(parts.flatMap((name, at) => (at % 2 ? [] : [[name, parts[at + 1] ?? ""]])));
}

const SECRET = /PASSWORD(?!_MIN)|PWD|SECRET|TOKEN|_KEY/;
/** Variables of an optional part. The service itself reports when one is missing. */
const OPTIONAL = ["TWILIO_AUTH_TOKEN"];

test("starts only once somebody has set the secrets", () => {
  const references = [...compose.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)];
  const secrets = references.filter(([, name = ""]) => SECRET.test(name));
  expect(secrets.length).toBeGreaterThan(5);
  for (const [, name = "", rest] of secrets)
    expect(rest).toBe(OPTIONAL.includes(name) ? ":-" : `:?set ${name}`);
});

test("starts only with providers of SMS and with budgets for them", () => {
  for (const name of ["SMS_GATEWAY", "SMS_PER_HOUR", "SMS_PER_COUNTRY_AND_HOUR"])
    expect(compose).toMatch(new RegExp(`^ {4}${name}: \\$\\{${name}:\\?set ${name}`, "m"));
});

test("hands on every setting, but those of the image and of Temporal", () => {
  const [, environment = ""] = /&environment\n((?: {4}.*\n)+)/.exec(compose) ?? [];
  const missing = SETTINGS.filter((name) => !environment.includes(`    ${name}: `));
  expect(missing).toEqual([
    ...["NODE_ENV", "HOST", "PORT", "DATABASE_OWNER_URL", "TEMPORAL_NAMESPACE"],
    // Temporal is in the same network, and takes no TLS.
    ...["TEMPORAL_TLS", "TEMPORAL_TLS_CA", "TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY"],
    ...["TEMPORAL_TLS_SERVER_NAME", "TEMPORAL_API_KEY"],
    ...["WORKFLOW_BUNDLE", "WORKER_BUILD_ID", "TWILIO_BASE_URL", "WORKER_PROBES_ADDRESS"],
  ]);
  expect(services().get("prepare-temporal")).toMatch(
    /TEMPORAL_RETENTION_DAYS: \$\{TEMPORAL_RETENTION_DAYS:-\}/,
  );
});

test("docs/installing.md sets every variable that must be set", () => {
  const required = [...compose.matchAll(/(?<!\$)\$\{(\w+):\?/g)].map(([, name]) => name);
  const [, sample = ""] =
    /cat > \.env <<END\n(.*?)\n +END\n/s.exec(read("docs/installing.md")) ?? [];
  const set = [...sample.matchAll(/^ *(\w+)=/gm)].map(([, name]) => name);
  expect(required.length).toBeGreaterThan(10);
  expect(required.filter((name) => !set.includes(name))).toEqual([]);
});

test("holds no secret itself", () => {
  const settings = [...compose.matchAll(/^ +(\w+): (.+)$/gm)];
  const secrets = settings.filter(([, name = ""]) => SECRET.test(name));
  expect(secrets.length).toBeGreaterThan(5);
  for (const [, , value] of secrets) expect(value).toMatch(/^\$\{\w+:(\?set \w+|-)\}$/);
  for (const [, password] of compose.matchAll(/:\/\/\w*:([^@\n]+)@/g)) {
    expect(password).toMatch(/^\$\{\w+:\?set \w+\}$/);
  }
});

test("opens only the ports of the gateway and the Temporal UI, and only to this machine by default", () => {
  const open = [...services()].filter(([, text]) => /^ +ports:/m.test(text));
  expect(open.map(([name]) => name)).toEqual(["gateway", "temporal-ui"]);
  for (const [name, text] of open) {
    expect(text, name).toMatch(/^ +ports: \["\$\{\w+:-127\.0\.0\.1:\d+\}:8080"\]$/m);
  }
});

test("Prometheus's exporter reads PostgreSQL by a role that sees statistics and no rows", () => {
  expect(services().get("postgres-exporter")).toMatch(/DATA_SOURCE_USER: monitor$/m);
  const granted = read("scripts/compose/create-databases.sh").match(/^grant .*\bmonitor;$/gm);
  expect(granted).toEqual([
    "grant pg_monitor to monitor;",
    "grant connect on database second_step to second_step, monitor;",
  ]);
});

test("lets nobody start or signal workflows through the Temporal UI", () => {
  expect(services().get("temporal-ui")).toContain('TEMPORAL_DISABLE_WRITE_ACTIONS: "true"');
});

test("keeps the stores and the servers on the inner network", () => {
  expect(compose).toMatch(/^ {2}inside:\n {4}internal: true$/m);
  const inside = [...services()].filter(([, text]) => /^ +networks: \[inside\]$/m.test(text));
  const names = inside.map(([name]) => name);
  expect(names).toEqual([
    ...["redis", "postgres", "temporal-schema", "temporal"],
    ...["temporal-cli", "redis-exporter", "postgres-exporter"],
  ]);
});

test("configures Temporal like the development stack", () => {
  const file = read("scripts/compose/temporal.yaml");
  const settings = [...file.matchAll(/^([\w.]+):\n {2}- value: (\w+)\n/gm)];
  expect(settings.map(([, name = "", value = ""]) => [name, JSON.parse(value)])).toEqual(
    Object.entries(TEMPORAL_SETTINGS),
  );
  for (const [name, value] of Object.entries(TEMPORAL_ENV))
    expect(services().get("temporal")).toContain(`      ${name}: "${value}"\n`);
});

test("gives the gateway the share of the processors with which it was measured", () => {
  const usual = 1024;
  const shares = [...services()].flatMap(([name, text]) =>
    [...text.matchAll(/^ {4}cpu_shares: (\d+)$/gm)].map(([, share]) => [name, Number(share)]),
  );
  expect(shares).toEqual([["gateway", GATEWAY_WEIGHT * usual]]);
});

test("limits the memory of Redis, which then refuses writes and evicts nothing", () => {
  const redis = services().get("redis") ?? "";
  expect(redis).toMatch(/^ +maxmemory \$\$REDIS_MEMORY\n +maxmemory-policy noeviction$/m);
  expect(redis).toMatch(/REDIS_MEMORY: \$\{REDIS_MEMORY:-512mb\}/);
});

test("limits the memory of every container, and keeps only the last of their log lines", () => {
  const bounded = (text: string) =>
    ["mem_limit: ", "logging: *logging"].every((line) => text.includes(`    ${line}`)) ||
    /<<: \*(program|service|once)$/m.test(text);
  const unbounded = [...services()].filter(([, text]) => !bounded(text));
  expect(unbounded.map(([name]) => name)).toEqual([]);
  expect(compose).toMatch(/^x-program: &program\n {2}logging: \*logging\n {2}mem_limit: \d/m);
  expect(compose).toMatch(/^ {2}options: \{ max-size: \d+m, max-file: "\d" \}$/m);
});

test("has every target that Prometheus reads", () => {
  const targets = [
    ...read("docs/grafana/prometheus.yml").matchAll(/targets: \["([\w-]+):(\d+)"\]/g),
  ];
  expect(targets.map(([, name]) => name)).toEqual([
    "temporal",
    "redis-exporter",
    "postgres-exporter",
  ]);
  for (const [, name = ""] of targets) expect(services().has(name), name).toBe(true);
  expect(services().get("temporal")).toContain("PROMETHEUS_ENDPOINT: 0.0.0.0:9090");
});

test("images carry their build: none is made without a name of its own, and the one before stays", () => {
  expect(compose).toMatch(/args: \{ BUILD_ID: "\$\{WORKER_BUILD_ID:\?set WORKER_BUILD_ID\}" \}/);
  expect(compose).not.toMatch(/^ +WORKER_BUILD_ID:/m);
  expect(services().get("worker-before")).toMatch(/image: second-step:\$\{BUILD_ID_BEFORE/);
});
