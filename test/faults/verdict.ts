import { setTimeout as sleep } from "node:timers/promises";
import { queuedEvents } from "../../store/postgres/events/event-queue.ts";
import type { AuditEvent } from "../../store/postgres/schema.ts";
import { devices, events, recoveryCodes, users } from "../../store/postgres/schema.ts";
import { readChallenge } from "../../store/redis/second-step/challenges.ts";
import { workflowIds } from "../../workflows/ids.ts";
import type { Answer } from "../support/client.ts";
import type { Received } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { persistentClient } from "./client.ts";
import { judgeDeliveries } from "./deliveries.ts";
import { judgeFlows } from "./flows.ts";
import type { Installation } from "./installation.ts";
import type { Ledger } from "./ledger.ts";

const FINISHING_MS = 90_000;

/** The faults, one line each, and the number of comparisons. */
export type Verdict = { faults: string[]; compared: Record<string, number> };

/**
 * Compares what clients were told with the stores, the audit and Temporal at the end, and the audit
 * with what webhooks received.
 */
export async function judge(
  installation: Installation,
  ledgers: readonly Ledger[],
  received: readonly Received[],
): Promise<Verdict> {
  const { db, redis, urls } = installation;
  const faults: string[] = [];
  const compared: Record<string, number> = {};
  const check = (what: string, right: boolean, fault: () => string) => {
    compared[what] = (compared[what] ?? 0) + 1;
    if (!right) faults.push(fault());
  };

  await until(
    async () => (await queuedEvents(db)).waiting,
    (queued) => queued === 0,
  );
  const all = await db.select().from(events);
  const allDevices = await db.select().from(devices);
  const held = { devices: allDevices, events: all };
  const keys = new Set(all.map(({ key }) => key));
  compared.events = all.length;
  if (keys.size < all.length) faults.push("An event is there twice");

  for (const ledger of ledgers) {
    const { user } = ledger;
    const { api } = persistentClient(urls, "198.51.100.1");
    const own = all.filter(({ userId }) => userId === user.id);
    const of = (type: string, is: (event: AuditEvent) => boolean = () => true) =>
      own.filter((event) => event.type === type && is(event)).length;
    const count = (what: string, got: number, wanted: number) =>
      check(what, got === wanted, () => `${user.id}: ${got} ${what}, not ${wanted}`);

    for (const deviceId of ledger.verified)
      count("device_verified", of("device_verified", is(deviceId)), 1);
    count("further device_verified", of("device_verified"), ledger.verified.size);
    for (const deviceId of ledger.removed)
      check(
        "devices gone",
        !allDevices.some(({ id }) => id === deviceId),
        () => `${deviceId} stays`,
      );
    if (ledger.allRemoved)
      check(
        "all_devices_removed",
        of("all_devices_removed") > 0,
        () => `${user.id}: no removal told`,
      );
    count("account_locked", of("account_locked"), ledger.locked ? 1 : 0);
    check(
      "recovery_code_used",
      of("recovery_code_used") === ledger.recoveryCodesUsed,
      () => `${user.id}: ${of("recovery_code_used")} recovery codes used`,
    );

    for (const { id, challenge } of ledger.sessions) {
      if (!challenge) continue;
      const record = await readChallenge(redis, challenge);
      const workflowId = workflowIds.loginChallenge(challenge);
      check("challenges", record?.completedBy === id, () => `${challenge} opened another session`);
      count("login_succeeded of a challenge", of("login_succeeded", by(workflowId)), 1);
    }
    const opened = await openedSessions(installation, user.id);
    for (const { id, challenge } of opened) {
      if (challenge === undefined) continue;
      const recorded = of("login_succeeded", by(workflowIds.loginChallenge(challenge)));
      check(
        "sessions with their event",
        recorded === 1,
        () => `${recorded} events of the session ${id}`,
      );
    }
    const plain = opened.filter(({ challenge }) => challenge === undefined).length;
    const plainTold = of("login_succeeded", ({ workflowId }) => workflowId === null);
    check(
      "sessions by password alone",
      plain <= plainTold,
      () => `${user.id}: ${plain} sessions by password, ${plainTold} events`,
    );

    for (const token of ledger.ended) {
      const { status } = await api.session(token);
      check("sessions that are over", status === 401, () => `${user.id}: a session lives`);
    }
    const failures = Number(await redis.get(`mfa:{${user.id}}:failures`));
    const remaining = ledger.attemptsRemaining;
    check(
      "failure counts",
      ledger.locked ? failures > 6 : remaining === undefined || failures >= 7 - remaining,
      () => `${user.id}: ${failures} failures are left, and ${remaining} attempts were told`,
    );
    if (ledger.locked) {
      const { status } = await api.logIn(user);
      check("locks", status === 423, () => `${user.id} is not locked`);
    }
    await compareActivity(api, ledger, own, check);
  }

  // Temporal retries an activity of a killed worker only after its timeout, so wait.
  const end = performance.now() + FINISHING_MS;
  let { wrong, flows } = await judgeFlows(installation, held);
  while (wrong.length > 0 && performance.now() < end) {
    await sleep(1_000);
    ({ wrong, flows } = await judgeFlows(installation, held));
  }
  faults.push(...wrong);
  compared["flows that ended well or may go on"] = flows;
  const { lost, wanted, copies } = await judgeDeliveries(installation, all, received);
  faults.push(...lost);
  compared["events that a webhook was sent"] = wanted;
  compared["events that a webhook was sent again"] = copies;
  const locked = await db.select({ id: users.id, at: users.lockedAt }).from(users);
  for (const { id, at } of locked) {
    const ledger = ledgers.find(({ user }) => user.id === id);
    check("users", !ledger || ledger.locked === (at !== null), () => `${id} is locked or not`);
  }
  const codes = await db.select().from(recoveryCodes);
  const used = codes.flatMap(({ usedBy }) => usedBy ?? []);
  check("recovery codes", new Set(used).size === used.length, () => "A challenge took two codes");
  return { faults, compared };
}

const is = (deviceId: string) => (event: AuditEvent) => event.detail.deviceId === deviceId;
const by = (workflowId: string) => (event: AuditEvent) => event.workflowId === workflowId;

/** A user's sessions in Redis, each with the challenge that opened it. */
async function openedSessions({ redis }: Installation, userId: string) {
  const ids = await redis.keys(`mfa:{${userId}}:session:*`);
  const challenges = await redis.keys(`mfa:{${userId}}:challenge:*`);
  const completed = new Map<string, string>();
  for (const key of challenges) {
    const id = key.slice(key.lastIndexOf(":") + 1);
    const by = (await readChallenge(redis, id))?.completedBy;
    if (by) completed.set(by, id);
  }
  return ids.map((key) => {
    const id = key.slice(key.lastIndexOf(":") + 1);
    return { id, challenge: completed.get(id) };
  });
}

type Page = { events: { id: number }[]; next: number | null };

type Check = (what: string, right: boolean, fault: () => string) => void;

/** Users with a live session see exactly the events that the store holds about them. */
async function compareActivity(
  api: ReturnType<typeof persistentClient>["api"],
  { sessions }: Ledger,
  own: readonly AuditEvent[],
  check: Check,
) {
  for (const { token } of [...sessions].reverse()) {
    const shown: number[] = [];
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
      const path: string = `/v1/me/activity?limit=100&before=${before}`;
      const page: Answer<Page> = await api.call<Page>("GET", path, { token });
      if (page.status !== 200) break;
      shown.push(...page.body.events.map(({ id }) => id));
      before = page.body.next;
    }
    if (shown.length === 0) continue;
    const wanted = own.map(({ id }) => id).sort((a, b) => b - a);
    // One session is enough.
    check("activities", String(shown) === String(wanted), () => `An activity shows other events`);
    return;
  }
}
