import { beforeEach, describe, expect, test } from "vitest";
import { spendPasscodeSend, spendPinSend } from "../../../core/limits/send-limits.ts";
import { Problem } from "../../../core/problem.ts";
import { newId, newOwnedId } from "../../../store/ids.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { keptMessages } from "../../../store/redis/messages/outbox.ts";
import { HOUR_MS } from "../../../units.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  startChallenge,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";
import { webClient } from "../../support/web.ts";

const COUNTRY = 6;
const SERVICE = 8;

const stack = useStack({
  database: "pglite",
  environment: {
    SMS_PER_COUNTRY_AND_HOUR: String(COUNTRY),
    SMS_PER_HOUR: String(SERVICE),
  },
});
beforeEach(() => stack.advance(HOUR_MS));

let germans = 0;
const germanPhone = () => ({ countryCode: "DE", phoneNumber: `1512 34567${10 + germans++}` });

async function newcomer() {
  const user = await stack.createUser();
  return { user, ...(await logInByPassword(stack, user)) };
}

/** The audit events about a user's refused messages. */
async function refusedOf({ id: userId }: { id: string }) {
  const { events } = await listEvents(stack.deps.db, { userId, limit: 100 });
  return events.filter(({ type }) => type === "send_refused");
}

describe("attack: running up the bill for messages", () => {
  test("logins at once send no more to a country than its hourly cap; each login goes on", async () => {
    const users = [];
    for (let n = 0; n < 4; n++) {
      const user = await stack.createUser();
      users.push({ user, ...(await enrollPhone(stack, user)) });
    }
    await stack.advance(HOUR_MS);
    const passcodes = async () =>
      (await keptMessages(stack.deps.redis)).filter(({ body }) => / passcode/.test(body));
    const before = (await passcodes()).length;

    const challenges = await Promise.all(
      users.flatMap(({ user }) => Array.from({ length: 5 }, () => startChallenge(stack, user))),
    );
    const refused = challenges.filter(({ state }) => state === "delivery_failed");
    expect(refused).toHaveLength(challenges.length - COUNTRY);
    for (const challenge of refused)
      expect(challenge).toMatchObject({ problem: "send_limit", next: ["resend", "method"] });
    await Promise.all(challenges.map(({ id }) => challengeSent(stack, id)));
    const sent = await until(passcodes, ({ length }) => length - before >= COUNTRY);
    expect(sent.length - before).toBe(COUNTRY);

    const id = refused[0]?.id ?? "";
    const again = await stack.api.resendPasscode(id);
    expect(expectProblem(again, "send_limit")).toMatchObject({ limit: "country" });
    expect(Number(again.headers.get("retry-after"))).toBe(HOUR_MS / 1000);
    expect(again.problem.detail).toMatch(
      /^The hour's messages to this country .* in 60 minutes, or use a security key, an authenticator app or a recovery code\.$/,
    );
    const page = await webClient(stack).open(`/login/${id}`);
    expect(page.notices).toEqual([
      expect.stringMatching(
        /because the limit for text messages is reached\. Use a recovery code\. Or try again later\.$/,
      ),
    ]);

    const events = await Promise.all(users.map(({ user }) => refusedOf(user)));
    expect(events.flat().length).toBeGreaterThan(0);
    for (const [n, own] of events.entries()) {
      expect(own.length).toBeLessThanOrEqual(1);
      for (const event of own)
        expect(event).toMatchObject({ detail: { limit: "country", kind: "passcode" } });
      expect(JSON.stringify(own)).not.toContain(users[n]?.e164.slice(1));
    }

    await stack.advance(HOUR_MS);
    expect((await startChallenge(stack, users[0]?.user as never)).state).toBe("sending_passcode");
  });

  test("the metrics say how much of each budget the last hour has used", async () => {
    const used = async () => {
      const lines = (await stack.metrics()).split("\n");
      return lines.filter((line) => line.startsWith("second_step_send_budget_used_ratio"));
    };
    expect(await used()).toEqual([
      'second_step_send_budget_used_ratio{limit="service",country=""} 0',
    ]);
    for (let n = 0; n < 3; n++) await stack.api.registerPhone((await newcomer()).token, newPhone());
    await stack.api.registerPhone((await newcomer()).token, germanPhone());
    const lines = await until(used, ({ length }) => length === 3);
    expect(lines.toSorted()).toEqual([
      'second_step_send_budget_used_ratio{limit="country",country="+1"} 0.5',
      `second_step_send_budget_used_ratio{limit="country",country="+49"} ${1 / COUNTRY}`,
      `second_step_send_budget_used_ratio{limit="service",country=""} 0.5`,
    ]);
  });

  test("a country's cap affects no other country, the service's cap affects all; no device is left behind", async () => {
    for (let n = 0; n < COUNTRY; n++)
      expect((await stack.api.registerPhone((await newcomer()).token, newPhone())).status).toBe(
        201,
      );
    const late = await newcomer();
    // Twice: the other limits get back what the first try spent, and only one event is written.
    for (const _ of [1, 2]) {
      const refused = await stack.api.registerPhone(late.token, newPhone());
      expect(expectProblem(refused, "send_limit")).toMatchObject({
        limit: "country",
        detail: expect.stringMatching(
          /^The hour's messages to this country .* in 60 minutes, or add a security key or an authenticator app/,
        ),
      });
    }
    expect((await stack.api.multiFactor(late.token)).body.devices).toEqual([]);
    expect(await refusedOf(late.user)).toMatchObject([
      { accountId: late.user.accountId, actorId: null, detail: { limit: "country", kind: "pin" } },
    ]);

    for (let n = COUNTRY; n < SERVICE; n++)
      expect((await stack.api.registerPhone((await newcomer()).token, germanPhone())).status).toBe(
        201,
      );
    const refused = await stack.api.registerPhone(late.token, germanPhone());
    expect(expectProblem(refused, "send_limit")).toMatchObject({ limit: "service" });
    await stack.advance(HOUR_MS);
    const { token } = await logInByPassword(stack, late.user);
    expect((await stack.api.registerPhone(token, newPhone())).status).toBe(201);
    const limits = (await refusedOf(late.user)).map(({ detail }) => detail.limit);
    expect(limits).toEqual(["service", "country"]);
  });

  test("a refusal is recorded again in the next hour", async () => {
    const user = await stack.createUser();
    await enrollPhone(stack, user);
    for (let hour = 1; hour <= 2; hour++) {
      await stack.advance(HOUR_MS);
      const { id } = await startChallenge(stack, user);
      await challengeSent(stack, id);
      for (const _ of [1, 2])
        expect(expectProblem(await stack.api.resendPasscode(id), "send_limit")).toMatchObject({
          limit: "challenge",
        });
      expect(await refusedOf(user)).toHaveLength(hour);
    }
  });
});

describe("each limit, used by forty requests at once", () => {
  const spent = async (send: () => Promise<unknown>) => {
    const results = await Promise.allSettled(Array.from({ length: 40 }, send));
    const limits = results.flatMap((result) =>
      result.status === "rejected" && result.reason instanceof Problem
        ? [result.reason.extra.members?.limit]
        : [],
    );
    return { sent: results.filter(({ status }) => status === "fulfilled").length, limits };
  };
  const generous = (own: object = {}) => ({
    ...stack.deps,
    config: {
      ...stack.deps.config,
      SMS_PER_HOUR: 10_000,
      SMS_PER_COUNTRY_AND_HOUR: 10_000,
      ...own,
    },
  });

  test("a number gets thirty an hour, for all users together", async () => {
    const phoneNumber = newPhone().e164;
    const { sent, limits } = await spent(() =>
      spendPinSend(generous(), { userId: newId(), phoneNumber }),
    );
    expect(sent).toBe(30);
    expect(new Set(limits)).toEqual(new Set(["number"]));
    // Strangers who register the number cannot block the owner's passcodes.
    const userId = newId();
    const login = { userId, challengeId: newOwnedId(userId), phoneNumber };
    await expect(spendPasscodeSend(generous(), login)).resolves.toBeDefined();
  });

  test("a user gets twenty passcodes an hour", async () => {
    const userId = newId();
    const phoneNumber = newPhone().e164;
    const { sent, limits } = await spent(() =>
      spendPasscodeSend(generous(), { userId, challengeId: newOwnedId(userId), phoneNumber }),
    );
    expect(sent).toBe(20);
    expect(new Set(limits)).toEqual(new Set(["user"]));
  });

  test.each([
    ["SMS_PER_HOUR", "service"],
    ["SMS_PER_COUNTRY_AND_HOUR", "country"],
  ])("%s=0 sends none", async (setting, limit) => {
    const deps = generous({ [setting]: 0 });
    const { sent, limits } = await spent(() =>
      spendPinSend(deps, { userId: newId(), phoneNumber: newPhone().e164 }),
    );
    expect(sent).toBe(0);
    expect(new Set(limits)).toEqual(new Set([limit]));
  });
});
