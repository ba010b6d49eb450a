import { sql } from "drizzle-orm";
import { expect } from "vitest";
import type { Policy } from "../../core/account/policy.ts";
import type { DeliveryView } from "../../core/webhooks/deliveries.ts";
import { endEverySession } from "../../store/generations/generations.ts";
import { DAY_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { VIEW } from "../../workflows/messages.ts";
import { newPerson, type Person } from "../support/people.ts";
import { newPhone, phones } from "../support/phones.ts";
import { type Received, startReceiver } from "../support/receiver.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  pinSent,
  startChallenge,
  unverifiedPhone,
} from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { backUp, type Loss } from "./backup.ts";
import { persistentClient } from "./client.ts";
import type { Installation } from "./installation.ts";
import type { installWithProvider } from "./outages.ts";

type Service = Awaited<ReturnType<typeof installWithProvider>>;

const POLICY = "/v1/account/multi-factor-policy";

/** What the database knows of Redis, and Redis of itself. */
async function beatsOf({ db, redis }: Installation) {
  const [row] = (await db.execute(sql`select beats from redis_generation`)).rows;
  const mark = await redis.hGet("mfa:{service}:generation", "beats");
  return { postgresql: Number(row?.beats), redis: Number(mark ?? 0) };
}

/** Waits until so many beats later: both stores then remember more than a backup of now. */
async function beatsPass(service: Service, count: number) {
  const start = (await beatsOf(service)).redis;
  for (let n = 1; n <= count; n++)
    await until(
      () => beatsOf(service),
      ({ postgresql, redis }) => redis >= start + n && postgresql >= start + n - 1,
    );
}

/**
 * Loses stores as `loss` says, in the middle of a session, an enrollment, a login, a roll-out with a
 * grace period and deliveries to a webhook. Then everybody does what they would do next. Throws if
 * somebody cannot.
 */
export async function drill(service: Service, loss: Loss): Promise<void> {
  const { db, temporal, urls } = service;
  const receiver = await startReceiver();
  try {
    const stage = stageOf(service, urls);
    const { api } = stage;
    const owner = await newPerson(db, { role: "administrator", at: new Date() });
    const { accountId } = owner;
    const at = new Date();
    const [paired, pairing] = [
      await newPerson(db, { accountId, at }),
      await newPerson(db, { accountId, at }),
    ];
    const phone = await enrollPhone(stage, paired);
    const { token: hers } = await logInBySms(stage, paired, phone.e164);
    const begun = await unverifiedPhone(stage, pairing);
    const owners = await liveLogin(stage, owner);
    const hooks = "/v1/account/webhooks";
    const body = { url: receiver.url };
    const hook = await api.call<{ id: string }>("POST", hooks, { token: owners, body });
    const webhookId = hook.body.id;
    const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
    const setPolicy = async (enforceAfter: string) =>
      api.call<Policy>("PUT", POLICY, {
        token: await liveLogin(stage, owner),
        body: { requirement: "required", enforceAfter },
      });
    const end = inDays(20);
    expect((await setPolicy(end)).status).toBe(202);
    const open = await startChallenge(stage, paired);
    const passcode = await stage.passcodeTo(phone.e164);
    await challengeSent(stage, open.id);

    const lose = await backUp(service);

    // What the backup does not have: an ended session, a verified phone, a policy, events.
    expect((await api.logOut(hers)).status).toBe(204);
    await stage.api.verifyDevice(begun.token, begun.id, begun.pin);
    expect((await setPolicy(inDays(30))).status).toBe(202);
    await beatsPass(service, 5);
    const ids = () => receiver.received.map(({ headers }) => headers["webhook-id"]);
    await until(
      async () => ids().length,
      (length) => length > 3,
    );

    await lose(loss);
    // Both come from one moment, so they match. Operators end the sessions by hand.
    if (loss.postgresql === "earlier" && loss.redis === "older") await endEverySession(service);

    // 1. The session that was ended does not live again.
    await until(
      () => api.session(hers),
      ({ status }) => status === 401,
    );
    // 2. Who has a phone logs in with it.
    const mine = await smsLogin(stage, paired, phone.e164);
    expect((await api.multiFactor(mine)).body.enabled).toBe(true);
    // 3. The challenge that was open is answered or refused; it never hangs.
    const answer = await api.verifyPasscode(open.id, passcode);
    expect([200, 404, 409, 410, 422]).toContain(answer.status);
    const mayLive = loss.postgresql === "kept" && loss.redis === "kept";
    if (answer.status === 200 && !mayLive)
      expect((await api.session(answer.body.session.token)).status).toBe(401);
    // 4. Whose phone was verified, or not yet, has a verified phone in the end.
    await pairs(stage, pairing, begun.e164);
    // 5. New events arrive, each under a name of its own.
    const before = ids().length;
    const token = await liveLogin(stage, owner);
    await until(
      async () => receiver.received.slice(before),
      (all) => all.some(({ body }) => body.includes(owner.id)),
    );
    expect(eventsOfEachId(receiver.received).filter((events) => events.size > 1)).toEqual([]);
    // 6. A delivery that is listed can be sent again.
    const { deliveries } = (
      await api.call<{ deliveries: DeliveryView[] }>("GET", `${hooks}/${webhookId}/deliveries`, {
        token,
      })
    ).body;
    const [listed] = deliveries;
    if (!listed) throw new Error("No delivery is listed");
    const again = `${hooks}/${webhookId}/deliveries/${listed.eventId}/resend`;
    await until(
      () => api.call("POST", again, { token }),
      ({ status }) => status === 202,
    );
    // 7. The grace period goes on. The same request starts a roll-out that was lost.
    const policy = (await api.call<Policy>("GET", POLICY, { token })).body;
    expect(policy).toMatchObject({ requirement: "required", state: "grace_period" });
    if (loss.postgresql === "earlier") expect(policy.enforceAfter).toBe(end);
    // A roll-out that only Temporal knows is in the way once.
    const first = await setPolicy(String(policy.enforceAfter));
    const kept =
      first.status === 409 && loss.postgresql === "earlier"
        ? await setPolicy(String(policy.enforceAfter))
        : first;
    expect(kept.status).toBe(202);
    const version = async () => {
      const found = await db.execute(
        sql`select policy_version as version from accounts where id = ${accountId}`,
      );
      return Number(found.rows[0]?.version);
    };
    const rollout = async () =>
      temporal.workflow
        .getHandle(workflowIds.policyRollout(accountId, await version()))
        .query<{ state: string }>(VIEW);
    expect((await rollout()).state).toBe("grace_period");
    // A roll-out of a version that PostgreSQL has lost costs one try.
    const changed = await setPolicy(inDays(40));
    if (changed.status === 409) expect((await setPolicy(inDays(40))).status).toBe(202);
    else expect(changed.status).toBe(202);
    expect((await rollout()).state).toBe("grace_period");
    const overdue = await service.redis.hGet(
      `mfa:{${accountId}}:account-revocation`,
      "enforceAfter",
    );
    expect(Number(overdue)).toBeGreaterThan(Date.now());
  } finally {
    await receiver.stop();
  }
}

/** The distinct events that came under each `webhook-id`. */
function eventsOfEachId(received: readonly Received[]): Set<string>[] {
  const events = new Map<string, Set<string>>();
  for (const { headers, body } of received) {
    const { type, timestamp, data } = JSON.parse(body) as Record<string, { userId?: string }>;
    const event = JSON.stringify([type, timestamp, data?.userId]);
    const id = headers["webhook-id"] ?? "";
    events.set(id, (events.get(id) ?? new Set()).add(event));
  }
  return [...events.values()];
}

function stageOf({ provider }: Service, urls: readonly string[]) {
  const read = async (to: string) =>
    provider.requests
      .filter(({ form }) => form.To === to)
      .map(({ form }) => ({ to, body: form.Body ?? "" }))
      .reverse();
  return { ...persistentClient(urls, "203.0.113.9"), ...phones(read) };
}

type DrillStage = ReturnType<typeof stageOf>;

/** A login by password whose session lives: one of a former generation ends within a second. */
async function liveLogin(stage: DrillStage, user: Person): Promise<string> {
  const found = await until(
    async () => {
      const { token } = await logInByPassword(stage, user);
      return (await stage.api.session(token)).status === 200 ? token : undefined;
    },
    (token) => token !== undefined,
  );
  return String(found);
}

/** A login by phone whose session lives. */
async function smsLogin(stage: DrillStage, user: Person, e164: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { token } = await logInBySms(stage, user, e164);
    if ((await stage.api.session(token)).status === 200) return token;
    if (tries === 3) throw new Error("Each new session is over at once");
  }
}

/** Logs in with the phone if it counts; else removes it, adds it again and verifies it. */
async function pairs(stage: DrillStage, user: Person, e164: string) {
  const { api } = stage;
  const login = (await api.logIn(user)).body;
  if (login.status === "challenge") {
    const passcode = await stage.passcodeTo(e164);
    await challengeSent(stage, login.challenge.id);
    expect((await api.verifyPasscode(login.challenge.id, passcode)).status).toBe(200);
    return;
  }
  const token = await liveLogin(stage, user);
  const [device] = (await api.multiFactor(token)).body.devices;
  if (!device) throw new Error("The device is gone");
  // What Temporal still knows can go on; a new PIN is enough.
  if (device.next.includes("pin")) {
    expect((await api.resendPin(token, device.id)).status).toBe(202);
    const pin = await stage.pinTo(e164);
    await pinSent(stage, token, device.id);
    expect((await api.verifyDevice(token, device.id, pin)).body.signedOut).toBe(true);
    return;
  }
  expect(device.next).toEqual(["remove"]);
  const path = `/v1/me/devices/${device.id}`;
  expect((await api.call("DELETE", path, { token })).status).toBe(204);
  await enrollPhone(stage, user, newPhone());
}
