import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { cliProgram } from "../../scripts/cli/program.ts";
import { EVENT_WORDS } from "../../store/events/event-types.ts";
import { documentedMetrics } from "../support/documented-metrics.ts";
import { shellBlocks } from "../support/shell-blocks.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const files = readdirSync(join(root, "docs/runbooks")).filter((name) => name !== "README.md");
const runbooks = files.map((name) => `docs/runbooks/${name}`);
const alerts = read("docs/grafana/alerts.yml");
const rules = [...alerts.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n {6}- |\n {2}- |$)/g)].map(
  ([, name = "", text = ""]) => ({ name, runbook: /runbook: (\S+)/.exec(text)?.[1] }),
);

test("every alert names its runbook, and every runbook has an alert", () => {
  const kebab = (name: string) => name.replace(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
  expect(rules.length).toBeGreaterThan(20);
  for (const { name, runbook } of rules) expect(runbook).toBe(`docs/runbooks/${kebab(name)}.md`);
  expect(rules.map(({ runbook }) => runbook).sort()).toEqual(runbooks.sort());
});

test.each(runbooks)(
  "%s says what users notice, what to look at, what to do and when it is over",
  (file) => {
    const headings = [...read(file).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "What users notice",
      "What to look at",
      "What to do",
      "How to see that it is over",
    ]);
  },
);

test.each(["docs/operations.md", ...runbooks])("the metrics that %s names exist", (file) => {
  const known = documentedMetrics(["gateway", "worker", "both"]).map(({ name }) => name);
  const recorded = [...alerts.matchAll(/record: (\S+)/g)].map(([, name]) => name);
  const named = read(file).match(/\bsecond_step[_:][\w:]+/g) ?? [];
  const others = ["second_step_", "second_step_owner", ...Object.keys(EVENT_WORDS)];
  const isMetric = (name: string) => !others.includes(name);
  for (const name of named.filter(isMetric))
    expect([...known, ...recorded]).toContain(name.replace(/_(count|sum|bucket)$/, ""));
});

test("the documents for production call the command line as it runs there too", () => {
  const aboutDevelopment = ["testing.md", "performance-log.md", "performance.md", "mission.md"];
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  for (const file of pages
    .filter((name) => !aboutDevelopment.includes(name))
    .map((name) => `docs/${name}`))
    expect(
      read(file)
        .replace(/^cli\(\) \{.*\}$/gm, "")
        .replace("`npm run --silent cli -- config docs`", ""),
      file,
    ).not.toMatch(/npm run (--silent )?cli/);
});

const compose = read("docker-compose.yml");
const services = [
  ...compose.slice(compose.indexOf("\nservices:")).matchAll(/^ {2}([\w-]+):$/gm),
].map(([, name]) => name);

/** The programs that an operator has, and what each of its commands may name. */
const CHECKS: Record<string, (words: string[]) => void> = {
  cli: ([, ...words]) => expectCommand(cliProgram(), words),
  temporal: ([, group, command]) =>
    expect([
      "workflow list",
      "workflow count",
      "workflow show",
      "workflow query",
      "workflow update-options",
      "task-queue describe",
      "operator cluster",
    ]).toContain(`${group} ${command}`),
  docker: ([, part, command = "", ...rest]) => {
    expect(part).toBe("compose");
    const named = rest.filter((word) => !/^(-|\d|\|)/.test(word) && word !== "before");
    const action = command.startsWith("--") ? rest[1] : command;
    expect(["exec", "logs", "ps", "run", "up", "rm"]).toContain(action);
    if (["exec", "run"].includes(command)) expect(services).toContain(named[0]);
    if (command === "logs")
      for (const name of rest.slice(0, pipeAt(rest)).filter((word) => /^[a-z]/.test(word)))
        expect(services).toContain(name);
  },
  // test/deploy/helm.test.ts compares the names with what the chart makes.
  kubectl: ([, action = ""]) => expect(["exec", "logs", "get", "run"]).toContain(action),
};

const pipeAt = (words: string[]) => (words.includes("|") ? words.indexOf("|") : words.length);

/** Fails unless the command line has this command with these options. */
function expectCommand(program: Command, words: string[]) {
  let command = program;
  let at = 0;
  for (; at < words.length; at++) {
    const next = command.commands.find((sub) => sub.name() === words[at]);
    if (!next) break;
    command = next;
  }
  expect(command.commands, words.join(" ")).toEqual([]);
  const options = [...command.options, ...program.options].map(({ long }) => long);
  for (const option of words.slice(at).filter((word) => /^--\w/.test(word)))
    expect(options, words.join(" ")).toContain(option);
}

test.each(["docs/operations.md", ...runbooks])("the commands of %s exist", (file) => {
  for (const { line } of shellBlocks(read(file))) {
    // Words in quotes are one; what a quoted text says is checked where it runs.
    const words = [...line.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word);
    const bare = words.filter((word) => !/^[A-Z_]+=/.test(word));
    const check = CHECKS[bare[0] ?? ""];
    expect(check, line).toBeDefined();
    check?.(bare);
  }
});
