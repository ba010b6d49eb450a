import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SECRETS, SETTINGS } from "../../config.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";
import { goProgram } from "../support/go-programs.ts";
import { limit } from "../support/limits.ts";
import { pythonPrograms } from "../support/python.ts";

const HELM = "helm.sh/helm/v3/cmd/helm@v3.16.4";
const CHART = join(checkoutFolder, "deploy/helm/second-step");
const ALL = join(import.meta.dirname, "all-options.yaml");
const KUBERNETES = "1.31";

let helm: (...args: string[]) => Promise<string>;
let validate: (manifests: string) => Promise<string>;
const folder = mkdtempSync(join(tmpdir(), "second-step-helm-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  const program = await goProgram(HELM);
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
}, limit(600_000));

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
  const known = new Set<string>([...SETTINGS, ...SECRETS.map((name) => `${name}_FILE`)]);
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
  expect(images).toEqual(
    ["2026.11.28", "1", "A_b"].map((build) => `registry.example/second-step:${build}`),
  );
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
