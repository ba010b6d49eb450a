import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test, vi } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { launch, waitUntilReady } from "../../scripts/processes.ts";
import { runProgram } from "../../scripts/programs.ts";
import { codeAt, registerApp } from "../support/apps.ts";
import { createClient, patient } from "../support/client.ts";
import { freshDatabase } from "../support/databases.ts";
import { PRODUCTION } from "../support/gateway.ts";
import { imageFolder } from "../support/image.ts";
import { limit } from "../support/limits.ts";
import { newPersonAt } from "../support/people.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { environmentOf } from "../support/stack.ts";
import { ownTemporal } from "../support/temporal.ts";
import { used } from "../support/used.ts";

const STEP_MS = 30_000;
const START_MS = limit(60_000);
const dockerfile = readFileSync(join(checkoutFolder, "Dockerfile"), "utf8");

// The build and its removal take minutes on a machine that does other things as well.
vi.setConfig({ testTimeout: limit(180_000), hookTimeout: limit(400_000) });

const image = used(install);

/** The image's files, and what a container of it gets: its command, its environment, the stores. */
async function install() {
  const { folder, remove } = await imageFolder();
  const [own, temporal] = await Promise.all([freshDatabase("postgres"), ownTemporal("real")]);
  const [probes, port] = [`127.0.0.1:${await freePort()}`, await freePort()];
  const env = {
    ...process.env,
    ...environmentOf(own.url, inject("redisUrl"), temporal),
    ...PRODUCTION,
    PORT: String(port),
    WORKER_PROBES_ADDRESS: probes,
    WORKFLOW_BUNDLE: join(folder, "dist/workflow-bundle.js"),
    WORKER_BUILD_ID: "image",
  };
  const node = (...args: string[]) => runProgram(process.execPath, args, { cwd: folder, env });
  const start = async (file: string, answers: string) => {
    const child = launch({
      ...{ name: file, program: process.execPath, args: [file], cwd: folder, env },
      logFile: join(folder, `${file}.log`),
    });
    const ready = async () => {
      if (!(await fetch(answers)).ok) throw new Error("not ready");
    };
    await waitUntilReady(child, ready, START_MS);
    return child;
  };
  return {
    folder,
    node,
    probes: `http://${probes}`,
    url: `http://127.0.0.1:${port}`,
    startWorker: () => start("dist/worker.js", `http://${probes}/readyz`),
    startGateway: () => start("dist/api/server.js", `http://127.0.0.1:${port}/readyz`),
    createUser: () => newPersonAt(own.url),
    async stop() {
      await Promise.all([temporal.stop(), own.drop()]);
      remove();
    },
  };
}

test("the image's files set up the stores, run gateway and worker, and log a user in", async () => {
  const { node, probes, url, startWorker, startGateway } = image;
  expect(await node("dist/scripts/migrate.js")).toContain("up to date");
  expect(await node("dist/scripts/prepare-temporal.js")).toContain("prepared");
  const worker = await startWorker();
  expect(JSON.parse(await node("dist/scripts/cli.js", "workers", "promote", "--json"))).toEqual({
    current: "image",
  });
  const gateway = await startGateway();

  const user = await image.createUser();
  const stage = { api: createClient(patient((path, init) => fetch(`${url}${path}`, init))) };
  const { token } = await logInByPassword(stage, user);
  const { secret, device } = await registerApp(stage, token);
  await stage.api.verifyDevice(token, device.id, codeAt(secret, Date.now()));
  const { id } = await startChallenge(stage, user);
  // The step that verified the app is used up; a code of the next one is accepted early.
  const { session } = (await stage.api.verifyPasscode(id, codeAt(secret, Date.now() + STEP_MS)))
    .body;
  expect(session.scope).toBe("full");
  expect(await (await fetch(`${url}/portal/portal.js`)).text()).not.toBe("");

  const probe = async (path: string) => (await fetch(`${probes}${path}`)).status;
  expect([await probe("/livez"), await probe("/readyz"), await probe("/")]).toEqual([
    200, 200, 404,
  ]);
  await Promise.all([worker.stop(), gateway.stop()]);
  expect(await Promise.all([worker.exited, gateway.exited])).toEqual([
    "exit code 0",
    "exit code 0",
  ]);
});

test("the image has no TypeScript, no loader, and no package that only development needs", () => {
  const files = readdirSync(join(image.folder, "dist"), { recursive: true, encoding: "utf8" });
  expect(files.filter((file) => file.endsWith(".ts"))).toEqual([]);
  expect(files).toContain("store/postgres/migrations/meta/_journal.json");
  const { devDependencies } = JSON.parse(readFileSync(join(image.folder, "package.json"), "utf8"));
  const packages = readdirSync(join(image.folder, "node_modules"));
  expect(packages.filter((name) => name in devDependencies)).toEqual([]);
});

test("the Dockerfile runs what this test runs, as a user without rights, with its build inside", () => {
  expect(dockerfile).toMatch(/^RUN npm ci$/m);
  expect(dockerfile).toMatch(/^RUN npm run build && npm prune --omit=dev$/m);
  const [, last = ""] = dockerfile.split(/^FROM .* AS build$/m);
  const copied = [...last.matchAll(/^COPY --from=build \/app\/(\S+)/gm)].map(([, name]) => name);
  expect(copied).toEqual(["package.json", "node_modules", "dist"]);
  expect(last).toMatch(/^USER node$/m);
  expect(last).toMatch(/^RUN test -n "\$BUILD_ID"/m);
  expect(last).toMatch(/^ {2}WORKER_BUILD_ID=\$BUILD_ID$/m);
  for (const file of last.matchAll(/dist\/[\w/-]+\.js/g))
    expect(readFileSync(join(image.folder, file[0]), "utf8")).not.toBe("");
});
