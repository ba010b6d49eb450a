import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { buildsOf, promoteBuild } from "../../scripts/deployment.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { type Child, launch, waitUntilReady } from "../../scripts/processes.ts";
import { SetUpError } from "../../scripts/progress.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { codeAt, registerApp } from "../support/apps.ts";
import { createClient, patient } from "../support/client.ts";
import { freshDatabase } from "../support/databases.ts";
import { limit } from "../support/limits.ts";
import { migrationsAnd } from "../support/migrations.ts";
import { newPersonAt } from "../support/people.ts";
import { newPhone, phones } from "../support/phones.ts";
import { ownRedisDatabase } from "../support/redis-database.ts";
import {
  challengeSent,
  logInByPassword,
  logInBySms,
  startChallenge,
  unverifiedPhone,
} from "../support/scenarios.ts";
import { environmentOf } from "../support/stack.ts";
import { ownTemporal } from "../support/temporal.ts";
import { until } from "../support/until.ts";
import { used } from "../support/used.ts";
import { bundleFile } from "../support/workflow-bundle.ts";
import { RECORDED_KEYS, restoreRecord } from "./recorded.ts";

/** For how long a process may start. One that still runs then has not refused. */
const START_MS = limit(60_000);

vi.setConfig({ testTimeout: limit(120_000), hookTimeout: limit(120_000) });

/** A migration of the next release: it only adds, so the build before it runs on. */
const EXPANDING = 'alter table "users" add column "later" text';
/** A migration of the release after that: builds that do not know `later_0` cannot run any more. */
const CONTRACTING = "insert into drizzle.schema_needs values ('later_0')";

const place = used(install);

/** The recorded database, its stores and a namespace. Builds run as processes of their own. */
async function install() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-upgrade-"));
  const [own, temporal, redis, WORKFLOW_BUNDLE] = await Promise.all([
    freshDatabase("postgres"),
    ownTemporal("real"),
    ownRedisDatabase(),
    bundleFile(),
  ]);
  const people = await restoreRecord(own.url);
  const env = {
    ...process.env,
    ...environmentOf(own.url, redis.url, temporal),
    ...RECORDED_KEYS,
    WORKFLOW_BUNDLE,
  };
  const children: Child[] = [];
  let started = 0;
  const begin = (file: string, more: Record<string, string>) => {
    const logFile = join(folder, `${started++}.log`);
    const child = launch({
      ...{ name: file, program: process.execPath, args: ["--import", "tsx", file] },
      ...{ cwd: checkoutFolder, env: { ...env, ...more }, logFile },
    });
    children.push(child);
    return { child, log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "") };
  };
  const answersAt = (url: string) => async () => {
    if (!(await fetch(url)).ok) throw new Error(`${url} is not ready`);
  };
  return {
    people,
    databaseUrl: own.url,
    client: temporal.client as Client,
    /** A worker of this build, once its probe says that it takes work. */
    async startWorker(WORKER_BUILD_ID: string) {
      const probes = `127.0.0.1:${await freePort()}`;
      const { child } = begin("worker.ts", { WORKER_BUILD_ID, WORKER_PROBES_ADDRESS: probes });
      await waitUntilReady(child, answersAt(`http://${probes}/readyz`), START_MS);
      return { child, probes: `http://${probes}` };
    },
    /** A gateway, as what a client calls and its process. */
    async startGateway() {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const { child } = begin("api/server.ts", { PORT: String(port) });
      await waitUntilReady(child, answersAt(`${url}/readyz`), START_MS);
      const send = (path: string, init: RequestInit) => fetch(`${url}${path}`, init);
      const outbox = async (to: string) =>
        (await send(`/dev/outbox?to=${encodeURIComponent(to)}`, {})).json() as Promise<
          { to: string; body: string }[]
        >;
      return { child, api: createClient(patient(send)), ...phones(outbox) };
    },
    /** Starts a process that should refuse to run. Resolves with what it says and how it ends. */
    async refused(file: string) {
      const { child, log } = begin(file, { PORT: "0" });
      const runs = sleep(START_MS, "it runs", { ref: false });
      return { end: await Promise.race([child.exited, runs]), log: log() };
    },
    async sql(text: string) {
      const client = new pg.Client({ connectionString: own.url });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    },
    createUser: () => newPersonAt(own.url),
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
      await Promise.all([temporal.stop(), own.drop(), redis.giveBack()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Promotes a build as soon as the server knows its worker. */
async function promote(build: string) {
  await until(
    () =>
      promoteBuild(place.client, build).then(
        () => true,
        (error) => {
          if (error instanceof SetUpError) return false;
          throw error;
        },
      ),
    (done) => done,
  );
}

/** The process ids of the workers that have worked on the newest flow of this type and user. */
async function workersOf(type: string, userId: string): Promise<number[]> {
  const query = `WorkflowType = '${type}' AND MfaUserId = '${userId}'`;
  const { client } = place;
  const found = await until(
    async () => {
      for await (const { workflowId } of client.workflow.list({ query })) return workflowId;
      return undefined;
    },
    (id) => id !== undefined,
  );
  const { events } = await client.workflow.getHandle(found as string).fetchHistory();
  const done = (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: task }) => task?.identity ?? [],
  );
  return [...new Set(done.map((identity) => Number(identity.split("@")[0])))];
}

test("a recorded database: gateway and worker refuse it until it is migrated, then its users log in", async () => {
  const { people, sql, refused, startWorker, startGateway } = place;
  for (const file of ["api/server.ts", "worker.ts"]) {
    const { end, log } = await refused(file);
    expect(end).toBe("exit code 1");
    expect(log).toMatch(
      /The database lacks 0004_\w+(, \d{4}_\w+)*\. Run the migrations of this build/,
    );
    expect(log).toContain("docs/upgrading.md");
  }
  await migrateDatabase(place.databaseUrl);

  const old = await startWorker("old");
  await promote("old");
  const gateway = await startGateway();
  await logInBySms(gateway, people.phone, people.phone.e164);
  const byApp = await startChallenge(gateway, people.app);
  const code = codeAt(people.app.secret, Date.now());
  expect((await gateway.api.verifyPasscode(byApp.id, code)).body.session.scope).toBe("full");
  const byCode = await startChallenge(gateway, people.codes);
  const [recovery = ""] = people.codes.codes;
  expect((await gateway.api.verifyPasscode(byCode.id, recovery)).body.session.scope).toBe("full");
  // The events that waited in the record's queue are passed on.
  await until(
    () => sql("select from event_queue"),
    ({ length }) => length === 0,
  );
  await Promise.all([old.child.stop(), gateway.child.stop()]);
});

test("flows in the middle end on the old build beside the new one; going back works on the newer schema", async () => {
  const { startWorker, startGateway, createUser, databaseUrl } = place;
  const old = await startWorker("A");
  await promote("A");
  const before = await startGateway();
  const [login, enrolling, fresh, back] = await Promise.all([
    createUser(),
    createUser(),
    createUser(),
    createUser(),
  ]);
  const { e164, token, id, pin } = await unverifiedPhone(before, login, newPhone());
  await before.api.verifyDevice(token, id, pin);
  const half = await unverifiedPhone(before, enrolling, newPhone());
  const challenge = await startChallenge(before, login);
  await challengeSent(before, challenge.id);

  const { folder, remove } = migrationsAnd(EXPANDING);
  await migrateDatabase(databaseUrl, { folder });
  remove();
  const next = await startWorker("B");
  await promote("B");
  const after = await startGateway();
  await before.child.stop();
  // What began on A ends there.
  const passcode = await after.passcodeTo(e164);
  expect((await after.api.verifyPasscode(challenge.id, passcode)).body.session.scope).toBe("full");
  await after.api.verifyDevice(half.token, half.id, half.pin);
  expect(await workersOf("loginChallenge", login.id)).toEqual([old.child.pid]);
  expect(await workersOf("smsEnrollment", enrolling.id)).toEqual([old.child.pid]);
  // What begins now begins on B.
  const { token: freshToken } = await logInByPassword(after, fresh);
  const app = await registerApp(after, freshToken);
  await after.api.verifyDevice(freshToken, app.device.id, codeAt(app.secret, Date.now()));
  expect(await workersOf("otpEnrollment", fresh.id)).toEqual([next.child.pid]);
  await until(
    () => buildsOf(place.client),
    (builds) => builds.find(({ build }) => build === "A")?.openFlows === 0,
  );

  // The way back: the old build takes new flows again, on the schema of the new one.
  await promote("A");
  const again = await startGateway();
  const backAgain = await unverifiedPhone(again, back, newPhone());
  await again.api.verifyDevice(backAgain.token, backAgain.id, backAgain.pin);
  expect(await workersOf("smsEnrollment", back.id)).toEqual([old.child.pid]);
});

test("a build that a contracting migration has left behind refuses to start, and says so", async () => {
  const { folder, remove } = migrationsAnd(EXPANDING, CONTRACTING);
  await migrateDatabase(place.databaseUrl, { folder });
  remove();
  for (const file of ["api/server.ts", "worker.ts"]) {
    const { end, log } = await place.refused(file);
    expect(end).toBe("exit code 1");
    expect(log).toContain("too old for the database, which needs builds that know later_0");
  }
});
