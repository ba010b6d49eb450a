import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { runProgram } from "../../scripts/programs.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { type Authority, type Certified, newAuthority } from "../support/certificates.ts";
import { startGrpcFront } from "../support/grpc-front.ts";
import { limit } from "../support/limits.ts";
import { runToEnd } from "../support/run-to-end.ts";

vi.setConfig({ testTimeout: limit(90_000) });

type Front = Awaited<ReturnType<typeof startGrpcFront>>;

/** What a key of one namespace may not do in Temporal Cloud and in locked-down clusters. */
const CHANGES = ["RegisterNamespace", "UpdateNamespace", "AddSearchAttributes"];

let authority: Authority;
let server: Certified;
const fronts: Front[] = [];
beforeAll(async () => {
  authority = await newAuthority();
  server = await authority.issue("localhost");
});
afterAll(async () => {
  for (const front of fronts) await front.stop();
  authority.remove();
});

/** A Temporal that keeps these calls for others. */
async function lockedTemporal(denied: string[]): Promise<Front> {
  const front = await startGrpcFront(inject("temporalAddress"), server, { denied });
  fronts.push(front);
  return front;
}

const prepare = ({ address }: Front, namespace: string, more: Record<string, string> = {}) =>
  runToEnd("scripts/prepare-temporal.ts", {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_TLS: "true",
    TEMPORAL_TLS_CA: authority.certificate,
    ...more,
  });

/** The commands of Temporal's command line in a text. */
const commandsIn = (text: string) =>
  [...text.matchAll(/^ *temporal (.*)$/gm)].map(([, words = ""]) => words);

/** Runs them as somebody who may do all of it. */
async function runAsAdministrator(commands: string[]) {
  const program = await ensureTemporalCli(() => {});
  for (const command of commands)
    await runProgram(program, [...command.split(" "), "--address", inject("temporalAddress")]);
}

test("a client that may change nothing says what to make; with that made, it prepares the rest", async () => {
  const temporal = await lockedTemporal([...CHANGES, "ListSearchAttributes"]);
  const namespace = `locked-${randomUUID()}`;
  const refused = await prepare(temporal, namespace);
  expect(refused.code).toBe(1);
  const [create, ...attributes] = commandsIn(refused.said);
  expect(create).toBe(`operator namespace create --namespace ${namespace} --retention 30d`);
  expect(attributes).toEqual(
    ["MfaUserId", "MfaAccountId", "MfaState", "MfaMethod"].map(
      (name) =>
        `operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
    ),
  );
  await runAsAdministrator([create as string]);
  // The server knows a new namespace some seconds later; the program waits for it.
  const half = await prepare(temporal, namespace);
  expect(half.code).toBe(1);
  expect(commandsIn(half.said)).toEqual(attributes);
  await runAsAdministrator(attributes);
  expect(await prepare(temporal, namespace)).toMatchObject({
    code: 0,
    said: expect.stringContaining("is prepared"),
  });
});

test("a namespace that is as it should be is not changed; another retention is told", async () => {
  const open = await lockedTemporal([]);
  const namespace = `kept-${randomUUID()}`;
  expect((await prepare(open, namespace, { TEMPORAL_RETENTION_DAYS: "45" })).code).toBe(0);
  const locked = await lockedTemporal(CHANGES);
  expect((await prepare(locked, namespace, { TEMPORAL_RETENTION_DAYS: "45" })).code).toBe(0);
  expect([...locked.authorizations.keys()].filter((name) => CHANGES.includes(name))).toEqual([]);
  const refused = await prepare(locked, namespace, { TEMPORAL_RETENTION_DAYS: "60" });
  expect(refused.code).toBe(1);
  expect(commandsIn(refused.said)).toEqual([
    `operator namespace update --namespace ${namespace} --retention 60d`,
  ]);
  await runAsAdministrator(commandsIn(refused.said));
  expect((await prepare(locked, namespace, { TEMPORAL_RETENTION_DAYS: "60" })).code).toBe(0);
});
