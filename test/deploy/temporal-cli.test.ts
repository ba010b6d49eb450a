import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { type Authority, type Certified, newAuthority } from "../support/certificates.ts";
import { GO_PROGRAMS, goProgram } from "../support/go-programs.ts";
import { startGrpcFront } from "../support/grpc-front.ts";
import { limit } from "../support/limits.ts";

let authority: Authority;
let client: Certified;
let helm: string;
let front: Awaited<ReturnType<typeof startGrpcFront>>;
beforeAll(async () => {
  helm = await goProgram(GO_PROGRAMS.helm);
  authority = await newAuthority();
  client = await authority.issue("second-step");
  const server = await authority.issue("temporal.example");
  front = await startGrpcFront(inject("temporalAddress"), server, {
    clients: authority.certificate,
  });
}, limit(1_800_000));
afterAll(async () => {
  await front.stop();
  authority.remove();
});

const SECRETS = "/run/secrets/second-step/";

/** The Deployment of Temporal's command line. */
async function renderedCli(values: string[]): Promise<string> {
  const chart = join(checkoutFolder, "deploy/helm/second-step");
  const options = ["-f", join(import.meta.dirname, "all-options.yaml"), "--kube-version", "1.31"];
  const set = values.flatMap((value) => ["--set-string", value]);
  const part = ["-s", "templates/temporal-cli.yaml"];
  return runProgram(helm, ["template", "mfa", chart, ...options, ...set, ...part]);
}

/** The variables of the container; the API key is taken from the Secret here. */
function variablesIn(text: string): Record<string, string> {
  const named = [...text.matchAll(/- \{ name: (\w+), value: "?([^"]*?)"? \}/g)];
  const variables = Object.fromEntries(named.map(([, name, value]) => [name, value]));
  const fromSecret = /name: TEMPORAL_API_KEY\n.*\n +secretKeyRef: \{ name: second-step, key: (\w+)/;
  return { ...variables, ...(fromSecret.test(text) && { TEMPORAL_API_KEY: "the-key" }) };
}

const TLS_KEYS = ["TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY"];

test("in the chart's pod Temporal's command line brings the service's certificates and API key", async () => {
  const keys = ["DATABASE_URL", "TEMPORAL_TLS_CA", ...TLS_KEYS, "TEMPORAL_API_KEY"];
  const text = await renderedCli([
    `secret.keys={${keys.join(",")}}`,
    `settings.TEMPORAL_ADDRESS=${front.address}`,
    "settings.TEMPORAL_NAMESPACE=default",
    "settings.TEMPORAL_TLS=true",
    "settings.TEMPORAL_TLS_SERVER_NAME=temporal.example",
  ]);
  const files: Record<string, string> = {
    [`${SECRETS}TEMPORAL_TLS_CA`]: authority.file,
    [`${SECRETS}TEMPORAL_TLS_CERT`]: client.files.cert,
    [`${SECRETS}TEMPORAL_TLS_KEY`]: client.files.key,
  };
  const variables = Object.entries(variablesIn(text));
  const env = Object.fromEntries(variables.map(([name, value]) => [name, files[value] ?? value]));
  const temporal = await ensureTemporalCli(() => {});
  const counted = await runProgram(temporal, ["workflow", "count"], { env });
  expect(counted).toMatch(/^Total: \d+/);
  expect([...(front.authorizations.get("CountWorkflowExecutions") ?? [])]).toEqual([
    "Bearer the-key",
  ]);
});

test("that pod gets no other key of the Secret", async () => {
  const text = await renderedCli([`secret.keys={DATABASE_URL,SEALING_KEYS,${TLS_KEYS.join(",")}}`]);
  const keys = [...text.matchAll(/\{ key: (\w+), path: \w+ \}/g)].map(([, key]) => key);
  expect(keys).toEqual(TLS_KEYS);
  const without = await renderedCli(["secret.keys={DATABASE_URL}"]);
  expect(without).not.toMatch(/secret:|DATABASE_URL/);
});

test("it is the version that Docker Compose runs", async () => {
  const compose = readFileSync(join(checkoutFolder, "docker-compose.yml"), "utf8");
  const [, image] = /temporal-cli:\n +image: (\S+)/.exec(compose) ?? [];
  expect(await renderedCli([])).toContain(`image: "${image}"`);
});
